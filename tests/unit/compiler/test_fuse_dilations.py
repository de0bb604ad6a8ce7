"""Dilated convolutions that come as batches: what is fused, what is left, and that bytes stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_same, quant

import smidgen
from smidgen.compiler.passes.drop_unused import drop_unused
from smidgen.compiler.passes.fuse_dilations import fuse_dilations
from smidgen.compiler.pipeline import optimise
from smidgen.core.dtypes import DType
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.shape.batches import BatchToSpace, SpaceToBatch
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from support.oracle import micro_outputs
from support.tflite_writer import OperatorSpec, TensorSpec, write_model

Pair = tuple[int, int]
FINE, COARSE = quant(0.02, -7), quant(0.3, 11)


@dataclass(frozen=True)
class Chain:
    """A chain over the `extents` of one axis or two; `along` is the axis of a 1-D convolution."""

    extents: tuple[int, ...] = (7, 8)
    block: tuple[int, ...] = (2, 3)
    padding: tuple[Pair, ...] = ((0, 1), (0, 1))
    crops: tuple[Pair, ...] = ((0, 1), (0, 0))
    window: Pair = (2, 3)
    inner: Padding = Padding()
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    batch: int = 1
    along: int = 2
    depthwise: bool = False
    dtype: DType = DType.INT8
    seed: int = 0

    def quantization(self, kind: Quantization) -> Quantization | None:
        if self.dtype is DType.FLOAT32:
            return None
        return kind if self.dtype is DType.INT8 else Quantization(kind.scales, (0,))

    def weights(self, b: GraphBuilder) -> list[str]:
        rng = np.random.default_rng(self.seed)
        shape = (1, *self.window, 6) if self.depthwise else (4, *self.window, 3)
        values, outputs = rng.integers(-90, 91, shape), 6 if self.depthwise else 4
        real = self.dtype is DType.FLOAT32
        b.constant("w", DType.FLOAT32 if real else DType.INT8, values, None if real else FINE)
        wide = {DType.INT8: DType.INT32, DType.INT16: DType.INT64, DType.FLOAT32: DType.FLOAT32}
        b.constant("bias", wide[self.dtype], rng.integers(-500, 500, outputs))
        return ["w", "bias"]

    def graph(self) -> Graph:
        b = GraphBuilder("chain")
        before, after = self.quantization(FINE), self.quantization(COARSE)
        x = b.input("x", self.dtype, (self.batch, *self.extents, 3), before)
        (a,) = b.add(SpaceToBatch(self.block, self.padding), [x], before)
        flat = len(self.extents) == 1
        if flat:
            (a,) = b.add(Reshape(_with_axis(b.tensor(a).shape, 3 - self.along)), [a], before)
        kind = DepthwiseConv2D if self.depthwise else Conv2D
        op = kind(self.stride, self.inner, self.dilation, Activation.RELU)
        (a,) = b.add(op, [a, *self.weights(b)], after)
        if flat:
            batches, *image, depth = b.tensor(a).shape
            (a,) = b.add(Reshape((batches, image[self.along - 1], depth)), [a], after)
        return b.finish(b.add(BatchToSpace(self.block, self.crops), [a], after))


def _with_axis(shape: tuple[int, ...], at: int) -> tuple[int, ...]:
    return (*shape[:at], 1, *shape[at:])


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


def fused(graph: Graph) -> bool:
    """Fuse, compare, and tell whether the chain has gone."""
    after = fuse_dilations(graph)
    assert_same(graph, after, 2)
    if after.nodes == graph.nodes:
        return False
    moved = len([node for node in graph.nodes if node.op.kind.endswith(("batch", "space"))])
    assert moved == 2 and len(after.nodes) == len(graph.nodes) - 2
    assert set(kinds(after)) <= {"reshape", "conv2d", "depthwise_conv2d"}
    return True


@st.composite
def chains(draw: st.DrawFn, exact: bool) -> Chain:
    """Chains of any sort; `exact` ones are what a dilated layer, padded or not, is written as."""
    flat = draw(st.booleans())
    along = draw(st.integers(1, 2))
    window = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    if flat:
        window = (window[0], 1) if along == 1 else (1, window[1])
    windows = (max(window),) if flat else window
    block, extents, padding, crops = [], [], [], []
    for size in windows:
        step, extent = draw(st.integers(1, 4)), draw(st.integers(1, 9))
        reach = (size - 1) * step
        base = (
            draw(st.sampled_from([(reach // 2, reach - reach // 2), (reach, 0), (0, 0)]))
            if exact
            else draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
        )
        extent = max(extent, reach + 1 - sum(base))
        full = -(extent + sum(base)) % step
        crop = (0, full) if exact else draw(st.tuples(st.integers(0, 2), st.integers(0, 3)))
        block.append(step)
        extents.append(extent)
        padding.append((base[0], base[1] + full))
        crops.append(crop)
    free = st.just(0) if exact or flat else st.integers(0, 1)
    steps = st.just(1) if exact or flat else st.sampled_from([1, 1, 1, 2])
    return Chain(
        tuple(extents),
        tuple(block),
        tuple(padding),
        tuple(crops),
        window,
        Padding(*(draw(free) for _ in range(4))),
        (draw(steps), draw(steps)),
        batch=draw(st.integers(1, 2)),
        along=along,
        depthwise=draw(st.booleans()),
        dtype=draw(st.sampled_from([DType.INT8, DType.INT16, DType.FLOAT32])),
        seed=draw(st.integers(0, 99)),
    )


@settings(max_examples=150, deadline=None)
@given(chains(exact=True))
def test_dilated_layers_become_one_convolution(chain):
    assert fused(chain.graph())


@settings(max_examples=150, deadline=None)
@given(chains(exact=False))
def test_all_other_chains_keep_their_bytes(chain):
    try:
        graph = chain.graph()
    except smidgen.SmidgenError:
        return  # windows larger than the image, crops that leave less than nothing
    if graph.tensors[graph.outputs[0]].elements:
        fused(graph)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"inner": Padding(1, 0, 2, 1)}, True),
        ({"inner": Padding(1, 0, 2, 1), "crops": ((2, 1), (4, 0))}, True),
        ({"dilation": (2, 1)}, True),
        ({"batch": 3, "depthwise": True}, True),
        ({"block": (2,), "padding": ((0, 1),), "crops": ((0, 0),)}, True),
        ({"stride": (1, 2)}, False),
        ({"stride": (1, 2), "block": (2, 1), "padding": ((0, 1), (2, 0))}, True),
        ({"stride": (1, 2), "block": (2, 1), "crops": ((0, 0), (1, 0))}, False),
        (
            {
                "stride": (1, 2),
                "block": (2, 1),
                "padding": ((0, 1), (3, 2)),
                "crops": ((0, 0), (1, 1)),
            },
            True,
        ),
        ({"crops": ((1, 0), (0, 0))}, False),
        ({"crops": ((0, 2), (0, 0))}, False),
    ],
)
def test_a_chain_is_fused_where_a_padding_stands_for_it(change, expected):
    assert fused(replace(Chain(), **change).graph()) == expected


@pytest.mark.parametrize("along", [1, 2])
def test_one_axis_becomes_rows_wherever_it_lay(along):
    window = (3, 1) if along == 1 else (1, 3)
    graph = Chain((9,), (4,), ((4, 7),), ((0, 3),), window, along=along).graph()
    assert fused(graph)
    op = Conv2D((1, 1), Padding(4, 4, 0, 0), (4, 1), Activation.RELU)
    assert fuse_dilations(graph).nodes[1].op == op


def test_weights_that_another_layer_reads_too_keep_their_columns():
    graph = Chain((9,), (4,), ((4, 7),), ((0, 3),), (1, 3)).graph()
    opening, conv = graph.nodes[1:3]
    names = ("same", "more")
    first, second = (
        replace(graph.tensors[node.outputs[0]], name=name)
        for node, name in zip((opening, conv), names, strict=True)
    )
    images = replace(opening, name="other", inputs=("y",), outputs=("same",))
    again = replace(conv, name="again", inputs=("same", *conv.inputs[1:]), outputs=("more",))
    entry = replace(graph.tensors[opening.inputs[0]], name="y")
    both = replace(graph, tensors={**graph.tensors, "y": entry}, inputs=("x", "y"))
    both = both.with_nodes((*graph.nodes, images, again), (first, second))
    both = replace(both, outputs=(*graph.outputs, "more"))
    after = fuse_dilations(both)
    assert_same(both, after)
    assert after.nodes[1].op.dilation == (1, 4)


def test_a_chain_that_is_read_within_stays():
    graph = Chain().graph()
    for node in graph.nodes[:2]:
        shown = replace(graph, outputs=(*graph.outputs, node.outputs[0]))
        assert fuse_dilations(shown).nodes == shown.nodes


def test_a_chain_that_changes_scale_on_its_way_stays():
    graph = Chain().graph()
    for name in (graph.inputs[0], graph.outputs[0]):
        other = replace(graph.tensors[name], quantization=quant(0.5, 1))
        changed = graph.with_nodes(graph.nodes, [other])
        assert fuse_dilations(changed).nodes == changed.nodes


def test_zeros_that_are_no_zero_point_stay():
    graph = Chain(dtype=DType.INT16).graph()
    skewed = [
        replace(tensor, quantization=quant(0.02, 5))
        for tensor in graph.tensors.values()
        if tensor.quantization == Quantization(FINE.scales, (0,))
    ]
    changed = graph.with_nodes(graph.nodes, skewed)
    assert fuse_dilations(changed).nodes == changed.nodes


def test_blocks_that_differ_stay():
    b = GraphBuilder("case")
    b.input("x", DType.INT8, (1, 4, 6, 3), FINE)
    (a,) = b.add(SpaceToBatch((2, 3), ((0, 0), (0, 0))), ["x"], FINE)
    (a,) = b.add(Conv2D(), [a, *Chain(window=(1, 1)).weights(b)], COARSE)
    graph = b.finish(b.add(BatchToSpace((3, 2), ((0, 0), (0, 0))), [a], COARSE))
    assert not fused(graph)


def test_pads_before_and_within_the_chain_join_it():
    b = GraphBuilder("case")
    b.input("x", DType.INT8, (1, 5, 6, 3), FINE)
    (a,) = b.add(Pad((0, 1, 0, 0), (0, 0, 2, 0)), ["x"], FINE)
    (a,) = b.add(SpaceToBatch((2, 2), ((0, 0), (0, 0))), [a], FINE)
    (a,) = b.add(Pad((0, 1, 1, 0), (0, 0, 1, 0)), [a], FINE)
    (a,) = b.add(Conv2D(), [a, *Chain().weights(b)], COARSE)
    (a,) = b.add(BatchToSpace((2, 2), ((0, 0), (0, 0))), [a], COARSE)
    graph = b.finish(b.add(Clamp(Activation.RELU), [a], COARSE))
    after = optimise(graph)
    assert kinds(drop_unused(after)) == ["conv2d"]
    assert after.nodes[0].op == Conv2D((1, 1), Padding(3, 0, 2, 4), (2, 2), Activation.RELU)
    assert_same(graph, after)


# Micro leaves what SPACE_TO_BATCH_ND pads with open; here the crops take all that it reaches.
_CONV = {"padding": 1, "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}


def _image(*shape: int, zero_point: int = 3) -> TensorSpec:
    return TensorSpec(shape, "int8", 0.05, zero_point)


def _constant(values) -> TensorSpec:
    values = np.array(values, np.int32)
    return TensorSpec(values.shape, "int32", data=values)


def _causal_layer() -> bytes:
    """Conv1D(5, 3, dilation_rate=4, padding="causal") over 21 steps, as the converter writes it."""
    rng = np.random.default_rng(5)
    tensors = [
        _image(1, 21, 4),
        _constant([[0, 0], [8, 0], [0, 0]]),
        _image(1, 29, 4),
        _constant([4]),
        _constant([[0, 3]]),
        _image(4, 8, 4),
        _constant(1),
        _image(4, 1, 8, 4),
        TensorSpec([5, 1, 3, 4], "int8", 0.01, data=rng.integers(-127, 128, (5, 1, 3, 4))),
        TensorSpec([5], "int32", 0.0005, data=rng.integers(-500, 500, 5)),
        _image(4, 1, 6, 5, zero_point=-9),
        _image(4, 6, 5, zero_point=-9),
        _image(1, 21, 5, zero_point=-9),
    ]
    operators = [
        OperatorSpec("PAD", [0, 1], [2]),
        OperatorSpec("SPACE_TO_BATCH_ND", [2, 3, 4], [5]),
        OperatorSpec("EXPAND_DIMS", [5, 6], [7]),
        OperatorSpec("CONV_2D", [7, 8, 9], [10], _CONV),
        OperatorSpec("SQUEEZE", [10], [11], {"squeeze_dims": [1]}),
        OperatorSpec("BATCH_TO_SPACE_ND", [11, 3, 4], [12]),
    ]
    return write_model(tensors, operators, [0], [12])


def test_a_causal_layer_on_an_emulated_core_gives_micros_bytes():
    data = _causal_layer()
    graph = convert(parse_model(data, "causal"), "causal")
    assert "space_to_batch" not in kinds(optimise(graph))
    artifact = smidgen.compile(graph, board="nucleo-l4r5zi")
    for x in np.random.default_rng(6).integers(-128, 128, (3, 1, 21, 4)).astype(np.int8):
        (expected,) = micro_outputs(data, [x])
        np.testing.assert_array_equal(Reference(graph).run([x])[0], expected)
        np.testing.assert_array_equal(smidgen.run(artifact, [x])[0], expected)
