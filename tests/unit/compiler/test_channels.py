"""Passes over channels: what they remove, and that the outputs stay the same, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_same, mobilenet, quant, random_network, samples

from smidgen.compiler.passes.channels.ranges import channel_classes, channel_ranges
from smidgen.compiler.passes.drop_dead_channels import drop_dead_channels
from smidgen.compiler.passes.merge_duplicate_channels import merge_duplicate_channels
from smidgen.compiler.passes.settle_constant_channels import settle_constant_channels
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding


def thinned(graph: Graph) -> Graph:
    return settle_constant_channels(drop_dead_channels(merge_duplicate_channels(graph)))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 0.6, 0.9]), st.booleans())
def test_random_networks_stay_the_same(seed, spoil, extreme):
    graph = random_network(seed, spoil, extreme)
    after = thinned(graph)
    assert after.macs <= graph.macs
    assert_same(graph, after)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 0.9]), st.booleans())
def test_values_stay_in_their_ranges_and_classes(seed, spoil, extreme):
    graph = random_network(seed, spoil, extreme)
    ranges = channel_ranges(graph)
    classes = channel_classes(graph, ranges)
    reference = Reference(graph)
    for arrays in samples(graph):
        values = reference.trace(arrays)
        for name, known in ranges.items():
            rows = values[name].reshape(-1, values[name].shape[-1]).astype(np.int64)
            assert (rows >= known.low).all() and (rows <= known.high).all(), name
            for label in np.unique(classes[name]):
                alike = rows[:, classes[name] == label]
                assert (alike == alike[:, :1]).all(), name


def test_planted_channels_all_go():
    """Half of the filters zero in every layer: about half of the first MACs, a quarter later on."""
    graph = mobilenet(3, spoil=0.6)
    after = thinned(graph)
    assert after.macs < 0.6 * graph.macs
    assert_same(graph, after, count=1)


def tiny(border: int, bias: int, activation: Activation = Activation.NONE) -> Graph:
    """conv -> depthwise -> conv on four channels, the second of which is constant."""
    builder, rng = GraphBuilder("tiny"), np.random.default_rng(1)

    def constant(name: str, values: np.ndarray) -> str:
        return builder.constant(name, DType.INT8, values.astype(np.int8), quant(0.01))

    builder.input("x", DType.INT8, (1, 6, 6, 2), quant(0.05, 3))
    first = rng.integers(-50, 50, (4, 1, 1, 2))
    first[1] = 0
    biases = np.array([10, bias, -30, 40], np.int32)
    given = ["x", constant("first", first), builder.constant("biases", DType.INT32, biases)]
    builder.add(Conv2D(activation=activation), given, quant(0.1, -5), ["a"])
    middle = constant("middle", rng.integers(-50, 50, (1, 3, 3, 4)))
    padding = Padding(border, border, border, border)
    builder.add(DepthwiseConv2D((1, 1), padding), ["a", middle], quant(0.4, 7), ["b"])
    last = constant("last", rng.integers(-50, 50, (3, 1, 1, 4)))
    builder.add(Conv2D(), ["b", last], quant(0.9, 1), ["c"])
    return builder.finish(["c"])


@pytest.mark.parametrize(
    ("border", "bias", "left"),
    [
        (0, 5000, 3),  # no padding: any constant folds
        (1, 0, 3),  # the constant is the zero point, as the padding is
        (1, 5000, 4),  # the border sees another value than the inside: it must stay
    ],
)
def test_a_constant_channel_folds_unless_the_border_shows(border, bias, left):
    graph = tiny(border, bias)
    after = drop_dead_channels(graph)
    assert after.tensors["a"].shape[3] == after.tensors["b"].shape[3] == left
    assert_same(graph, after)


def test_a_channel_that_the_activation_always_clamps_folds():
    graph = tiny(1, -30000, Activation.RELU)
    after = drop_dead_channels(graph)
    assert after.tensors["a"].shape[3] == 3
    assert_same(graph, after)


def test_folding_into_a_bias_wraps_as_the_sums_do():
    builder = GraphBuilder("wrap")
    builder.input("x", DType.INT8, (1, 2, 2, 1), quant(0.05, 0))
    first = np.array([0, 3], np.int8).reshape(2, 1, 1, 1)
    builder.constant("first", DType.INT8, first, quant(0.01))
    builder.constant("biases", DType.INT32, np.array([1 << 24, 0], np.int32))
    builder.add(Conv2D(), ["x", "first", "biases"], quant(0.1, 0), ["a"])
    last = np.array([127, 5], np.int8).reshape(1, 1, 1, 2)
    builder.constant("last", DType.INT8, last, quant(0.01))
    builder.constant("edge", DType.INT32, np.array([(1 << 31) - 5], np.int32))
    builder.add(Conv2D(), ["a", "last", "edge"], quant(0.1, 0), ["b"])
    graph = builder.finish(["b"])
    after = drop_dead_channels(graph)
    assert after.tensors["a"].shape[3] == 1
    assert_same(graph, after)


def test_equal_filters_become_one_where_the_weights_still_fit():
    for weight, left in ((40, 1), (100, 2)):
        builder = GraphBuilder("twins")
        builder.input("x", DType.INT8, (1, 3, 3, 1), quant(0.05, 0))
        twins = np.full((2, 1, 1, 1), 9, np.int8)
        builder.constant("twins", DType.INT8, twins, quant(0.01))
        builder.add(Conv2D(), ["x", "twins"], quant(0.02, 0), ["a"])
        sums = np.array([weight, weight], np.int8).reshape(1, 1, 1, 2)
        builder.constant("sums", DType.INT8, sums, quant(0.01))
        builder.add(Conv2D(), ["a", "sums"], quant(0.02, 0), ["b"])
        graph = builder.finish(["b"])
        after = thinned(graph)
        assert after.tensors["a"].shape[3] == left
        assert_same(graph, after)


def test_weights_shared_by_two_layers_stay_as_the_other_needs_them():
    builder, rng = GraphBuilder("shared"), np.random.default_rng(2)
    builder.input("x", DType.INT8, (1, 3, 3, 2), quant(0.05, 0))
    values = rng.integers(-50, 50, (2, 1, 1, 2))
    values[:, :, :, 0] = 0
    builder.constant("w", DType.INT8, values.astype(np.int8), quant(0.01))
    builder.add(Conv2D(), ["x", "w"], quant(0.02, 0), ["a"])
    builder.add(Conv2D(), ["a", "w"], quant(0.02, 0), ["b"])
    graph = builder.finish(["b"])
    after = drop_dead_channels(graph)
    assert after.tensors["a"].shape[3] == 1
    assert_same(graph, after)


def test_what_the_caller_sees_keeps_its_shape():
    graph = random_network(3, 1.0)
    after = thinned(graph)
    for name in (*graph.inputs, *graph.outputs):
        assert graph.tensors[name].type == after.tensors[name].type


def test_a_constant_channel_that_stays_has_modest_numbers():
    builder = GraphBuilder("settled")
    builder.input("x", DType.INT8, (1, 6, 6, 4), quant(0.05, -128))
    weights = np.arange(1, 33, dtype=np.int8).reshape(8, 1, 1, 4)
    weights[3] = 0
    scales = np.full(8, 0.01)
    scales[3] = 1e-9
    per_channel = Quantization(tuple(map(float, scales)), (0,) * 8, 0)
    builder.constant("w", DType.INT8, weights, per_channel)
    bias = np.full(8, 900, np.int32)
    bias[3] = 1 << 30
    builder.constant("b", DType.INT32, bias)
    builder.add(Conv2D(activation=Activation.RELU), ["x", "w", "b"], quant(0.1, -128), ["y"])
    graph = builder.finish(["y"])
    after = settle_constant_channels(graph)
    assert np.abs(after.tensors[after.nodes[0].inputs[2]].values).max() < 1 << 16
    assert min(after.tensors[after.nodes[0].inputs[1]].quant.scales) > 1e-4
    assert settle_constant_channels(after) is after
    assert_same(graph, after)
