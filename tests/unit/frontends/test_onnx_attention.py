"""Attention and its angles: known masks cost one op, and quantised it stays what it is."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")

from smidgen.core.errors import ModelFileError
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.index.ops import Select
from smidgen.quantize import attribute, quantize
from support.onnx_nets import assert_same, graph_of, net, node

LENGTH = 6
LEAST = np.finfo(np.float32).min
SEEN = np.tril(np.ones((LENGTH, LENGTH), bool))


def projected(mask: np.ndarray | None = None, **attributes):
    """Queries of four heads, keys and values of two, all made of one series."""
    rng = np.random.default_rng(5)
    widths = {"q": 32, "k": 16, "v": 16}
    constants = {f"w{n}": rng.normal(0, 0.3, (8, width)) for n, width in widths.items()}
    constants = {name: values.astype(np.float32) for name, values in constants.items()}
    if mask is not None:
        constants["mask"] = mask
    nodes = [
        *(node("MatMul", ["x", f"w{n}"], [n]) for n in widths),
        node(
            "Attention",
            ["q", "k", "v", *(["mask"] if mask is not None else [])],
            ["y"],
            q_num_heads=4,
            kv_num_heads=2,
            **attributes,
        ),
    ]
    return net(nodes, {"x": (1, LENGTH, 8)}, constants, opset=23)


def numbers(mask: np.ndarray, hidden: float) -> np.ndarray:
    return np.where(mask, 0.25, hidden).astype(np.float32)


MASKS = {
    "none": (None, {}),
    "causal": (None, {"is_causal": 1}),
    "bool": (SEEN, {}),
    "infinite": (numbers(SEEN, -np.inf), {}),
    "least float": (numbers(SEEN, LEAST), {}),
    "least float, and causal": (numbers(SEEN.T | SEEN, LEAST), {"is_causal": 1}),
    "a row of the least float, and causal": (np.full((LENGTH, LENGTH), LEAST), {"is_causal": 1}),
    "a row that sees nothing": (SEEN & (np.arange(LENGTH)[:, np.newaxis] != 2), {}),
    "shorter than the keys": (np.ones((LENGTH, LENGTH - 2), bool), {}),
    "capped": (None, {"is_causal": 1, "softcap": 2.0}),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks(name: str) -> None:
    mask, attributes = MASKS[name]
    graph = assert_same(projected(mask, **attributes))
    masking = [node for node in graph.nodes if isinstance(node.op, (Add, Select))]
    assert len(masking) <= (2 if name.startswith("a row that") else 1)


@pytest.mark.parametrize("name", [name for name in MASKS if "a row of the least" not in name])
def test_quantised(name: str) -> None:
    mask, attributes = MASKS[name]
    graph = graph_of(projected(mask, **attributes))
    samples = np.random.default_rng(6).normal(size=(24, 1, LENGTH, 8)).astype(np.float32)
    samples = samples.reshape(24, *graph.tensors[graph.inputs[0]].shape[1:])
    quantised = quantize(graph, samples)
    assert attribute(graph, quantised, samples[:8]).output.sqnr_db > 20


def test_heads_that_do_not_share_are_damage() -> None:
    model = projected()
    model.graph.node[3].attribute[0].i = 3
    with pytest.raises(ModelFileError, match="heads"):
        graph_of(model)


def turned(table: tuple[int, ...], **attributes):
    """Three heads of eight features at positions that are known, of which one is used twice."""
    angles = np.random.default_rng(7).normal(size=table)
    constants = {
        "cosine": np.cos(angles).astype(np.float32),
        "sine": np.sin(angles).astype(np.float32),
        "places": np.array([[4, 0, 0, 2]]),
    }
    nodes = [node("RotaryEmbedding", ["x", *constants], ["y"], num_heads=3, **attributes)]
    return net(nodes, {"x": (1, 4, 24)}, constants, opset=23)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("features", [0, 4])
def test_angles(features: int, interleaved: int) -> None:
    attributes = {"rotary_embedding_dim": features, "interleaved": interleaved}
    assert_same(turned((5, (features or 8) // 2), **attributes))


@pytest.mark.parametrize("table", [(5, 3), (3, 4), (4,), ()])
def test_angles_that_do_not_fit_are_damage(table: tuple[int, ...]) -> None:
    with pytest.raises(ModelFileError):
        graph_of(turned(table))
