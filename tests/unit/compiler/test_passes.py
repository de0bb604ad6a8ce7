"""The other rewrites, each on a small graph, and the whole pipeline on random ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_same, quant, random_network

from smidgen.compiler.passes.drop_unused import drop_unused
from smidgen.compiler.passes.elide_reshapes import elide_reshapes
from smidgen.compiler.passes.fold_requantization import fold_requantization
from smidgen.compiler.passes.fuse_activations import fuse_activations
from smidgen.compiler.passes.fuse_pads import fuse_pads
from smidgen.compiler.passes.remove_idle_clamps import remove_idle_clamps
from smidgen.compiler.pipeline import optimise
from smidgen.core.dtypes import DType
from smidgen.core.errors import SmidgenError
from smidgen.frontends.tflite.convert import load_tflite
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.quantization.ops import Dequantize, Quantize
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from support.samples import needs_data, sample_id, tflite_files

FINE = quant(0.02, -7)


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph.nodes]


def start(shape: tuple[int, ...], kind=FINE) -> GraphBuilder:
    builder = GraphBuilder("case")
    builder.input("x", DType.INT8, shape, kind)
    return builder


def pointwise(b: GraphBuilder, x: str, op: Conv2D, kind) -> str:
    channels = b.tensor(x).shape[3]
    rng = np.random.default_rng(4)
    values = rng.integers(-90, 90, (3, 1, 1, channels)).astype(np.int8)
    weights = b.constant(b.fresh("weights"), DType.INT8, values, quant(0.01))
    return b.add(op, [x, weights], kind)[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5]), st.booleans())
def test_the_pipeline_keeps_every_byte(seed, spoil, extreme):
    graph = random_network(seed, spoil, extreme, layers=8)
    assert_same(graph, optimise(graph))


def test_the_pipeline_repeats_itself():
    graph = random_network(11, 0.5)
    one, two = optimise(graph), optimise(graph)
    assert one.nodes == two.nodes and list(one.tensors) == list(two.tensors)
    again = optimise(one)
    assert again.macs == one.macs


def test_a_chain_of_reshapes_becomes_one_and_idle_ones_go():
    b = start((1, 4, 6))
    (a,) = b.add(Reshape((24,)), ["x"], FINE)
    (a,) = b.add(Reshape((2, 12)), [a], FINE)
    (a,) = b.add(Reshape((2, 12)), [a], FINE)
    (a,) = b.add(Clamp(Activation.RELU), [a], FINE)
    graph = b.finish([a])
    after = drop_unused(elide_reshapes(graph))
    assert kinds(after) == ["reshape", "clamp"]
    assert_same(graph, after)


def test_there_and_back_again_is_no_reshape():
    b = start((1, 4, 6))
    (a,) = b.add(Reshape((24,)), ["x"], FINE)
    (a,) = b.add(Reshape((1, 4, 6)), [a], FINE)
    (a,) = b.add(Clamp(Activation.RELU), [a], FINE)
    graph = b.finish([a])
    after = drop_unused(elide_reshapes(graph))
    assert kinds(after) == ["clamp"]
    assert_same(graph, after)


def test_a_reshape_that_changes_the_scale_stays():
    b = start((1, 4, 6))
    (a,) = b.add(Reshape((1, 4, 6)), ["x"], quant(0.03, 1))
    (a,) = b.add(Clamp(Activation.RELU), [a], quant(0.03, 1))
    assert "reshape" in kinds(elide_reshapes(b.finish([a])))


@pytest.mark.parametrize(("value", "fused"), [(None, True), (-7, True), (0, False)])
def test_a_pad_with_real_zeros_moves_into_the_convolution(value, fused):
    b = start((1, 5, 4, 2))
    (a,) = b.add(Pad((0, 1, 0, 0), (0, 2, 1, 0), value), ["x"], FINE)
    y = pointwise(b, a, Conv2D((2, 1), Padding(0, 1, 2, 0)), quant(0.2, 3))
    graph = b.finish([y])
    after = drop_unused(fuse_pads(graph))
    assert kinds(after) == (["conv2d"] if fused else ["pad", "conv2d"])
    assert_same(graph, after)


def test_clamps_that_follow_a_clamp_go():
    b = start((1, 5, 4, 2))
    a = pointwise(b, "x", Conv2D(activation=Activation.RELU6), FINE)
    (a,) = b.add(Clamp(Activation.RELU), [a], FINE)
    (a,) = b.add(Clamp(Activation.RELU6), [a], FINE)
    a = pointwise(b, a, Conv2D(), FINE)
    graph = b.finish([a])
    after = remove_idle_clamps(graph)
    assert kinds(after) == ["conv2d", "conv2d"]
    assert_same(graph, after)


def test_clamps_that_clamp_stay():
    b = start((1, 5, 4, 2))
    a = pointwise(b, "x", Conv2D(activation=Activation.RELU), FINE)
    (a,) = b.add(Clamp(Activation.RELU_N1_TO_1), [a], FINE)
    a = pointwise(b, a, Conv2D(), FINE)
    assert "clamp" in kinds(remove_idle_clamps(b.finish([a])))


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        (Activation.NONE, Activation.RELU6, Activation.RELU6),
        (Activation.RELU, Activation.RELU6, Activation.RELU6),
        (Activation.RELU6, Activation.RELU, Activation.RELU6),
        (Activation.RELU, Activation.RELU_N1_TO_1, None),
    ],
)
def test_two_activations_become_one_where_there_is_one(first, second, merged):
    kind = quant(0.05, -7)
    b = start((1, 5, 4, 2))
    a = pointwise(b, "x", Conv2D(activation=first), kind)
    (a,) = b.add(Clamp(second), [a], kind)
    graph = b.finish([a])
    after = fuse_activations(graph)
    if merged is None:
        assert kinds(after) == ["conv2d", "clamp"]
    else:
        (node,) = after.nodes
        assert isinstance(node.op, Conv2D) and node.op.activation is merged
    assert_same(graph, after)


@pytest.mark.parametrize("to", [FINE, quant(0.02, 9), quant(0.07, -30), quant(0.004, 0)])
def test_requantisation_through_real_numbers_folds_only_where_it_is_exact(to):
    b = start((1, 300))
    (a,) = b.add(Dequantize(), ["x"])
    (a,) = b.add(Quantize(DType.INT8), [a], to)
    (a,) = b.add(Clamp(Activation.RELU), [a], to)
    graph = b.finish([a])
    after = drop_unused(fold_requantization(graph))
    assert_same(graph, after)
    if to == FINE:
        assert kinds(drop_unused(remove_idle_clamps(after))) == ["clamp"]


@needs_data
@pytest.mark.parametrize("path", tflite_files(), ids=sample_id)
def test_sample_models_keep_every_byte(path):
    try:
        graph = load_tflite(path)
    except SmidgenError as refusal:
        pytest.skip(f"the front end does not take it: {refusal}")
    if graph.macs > 20_000_000:
        pytest.skip("too slow for the reference")
    after = optimise(graph)
    assert after.macs <= graph.macs
    assert_same(graph, after)
