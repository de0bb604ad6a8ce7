"""Files whose weights are float16: the layers compute with the same floats in float32."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from smidgen.core.errors import SmidgenError, UnsupportedType
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.evaluate import Reference
from support.oracle import micro_outputs
from support.tflite_writer import OperatorSpec, TensorSpec, pack, unpack, write_model

_RNG = np.random.default_rng(5)
_WEIGHTS = _RNG.standard_normal((4, 6)).astype(np.float16)
_BIAS = _RNG.standard_normal(4).astype(np.float16)
_X, _Y = TensorSpec([1, 6], "float32"), TensorSpec([1, 4], "float32")


def _graph(data: bytes):
    return convert(parse_model(data, "halves"), "halves")


def test_weights_in_float16_compute_as_the_same_weights_in_float32() -> None:
    full = [
        TensorSpec(values.shape, "float32", data=values.astype(np.float32))
        for values in (_WEIGHTS, _BIAS)
    ]
    dense = OperatorSpec("FULLY_CONNECTED", [0, 1, 2], [3], {})
    plain = write_model([_X, *full, _Y], [dense], [0], [3])
    halves = [TensorSpec(v.shape, "float16", data=v) for v in (_WEIGHTS, _BIAS)]
    wide = [TensorSpec(v.shape, "float32") for v in (_WEIGHTS, _BIAS)]
    widening = [OperatorSpec("DEQUANTIZE", [4], [1]), OperatorSpec("DEQUANTIZE", [5], [2])]
    data = write_model([_X, *wide, _Y, *halves], [*widening, dense], [0], [3])
    graph = _graph(data)
    assert [node.op.kind for node in graph.nodes] == ["dense"]
    x = _RNG.standard_normal((1, 6)).astype(np.float32)
    (y,) = Reference(graph).run([x])
    np.testing.assert_allclose(y, micro_outputs(plain, [x])[0], rtol=1e-5, atol=1e-6)


def test_activations_in_float16_are_refused() -> None:
    half = TensorSpec([1, 6], "float16")
    data = write_model([half, half], [OperatorSpec("RELU", [0], [1])], [0], [1])
    with pytest.raises(UnsupportedType, match="float16"):
        _graph(data)


@pytest.mark.parametrize("dtype", ["float16", "uint8"])
def test_a_buffer_that_many_tensors_share_is_converted_once(dtype: str) -> None:
    values = np.zeros(1 << 20, dtype)
    scale = 0.5 if dtype == "uint8" else None
    model = unpack(write_model([TensorSpec(values.shape, dtype, scale, data=values)], [], [], []))
    graph = model.subgraphs[0]
    graph.tensors = graph.tensors * 1000
    data = pack(model)
    tracemalloc.start()
    try:
        _graph(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(data)


def test_buffers_that_overlap_are_refused() -> None:
    values = np.zeros(1 << 16, np.float16)
    model = unpack(write_model([TensorSpec(values.shape, "float16", data=values)], [], [], []))
    graph = model.subgraphs[0]
    (tensor,), (_, full) = graph.tensors, model.buffers
    graph.tensors, model.buffers = [], [model.buffers[0]]
    for number in range(1, 100):
        outside = type(full)()
        outside.offset, outside.size = 1000, 1 << 17
        model.buffers.append(outside)
        one = type(tensor)()
        one.__dict__.update(tensor.__dict__, buffer=number)
        graph.tensors.append(one)
    with pytest.raises(SmidgenError, match="overlap"):
        _graph(pack(model) + bytes(1 << 17))
