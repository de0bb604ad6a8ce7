"""Quantised graphs: the rules of the specification, and how near they come to the float ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from float_networks import SAME, Network, classifier, inputs

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnknownName, UnsupportedOp
from smidgen.core.fixedpoint import round_half_away
from smidgen.graph.evaluate import Reference
from smidgen.graph.op import Op
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import MaxPool2D
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.activation import Activation
from smidgen.quantize import QuantizeConfig, attribute, calibrate, quantize
from smidgen.quantize.scales import activation_quantization


def test_types_scales_and_names():
    graph = classifier()
    quantised = quantize(graph, inputs())
    assert [node.name for node in quantised.nodes] == [node.name for node in graph.nodes]
    assert (quantised.inputs, quantised.outputs) == (graph.inputs, graph.outputs)
    ranges = calibrate(graph, inputs()).ranges
    for name in ("x", "depthwise_out", "inner_out", "sum_out", "head_out"):
        assert quantised.tensors[name].dtype is DType.INT8
        expected = quantised.tensors[name].quantization
        if name != "sum_out":
            assert expected == activation_quantization(*ranges[name])


def test_pools_and_reshapes_keep_their_input_scale_and_softmax_has_its_own():
    tensors = quantize(classifier(), inputs()).tensors
    assert tensors["pool_out"].quantization == tensors["stem_out"].quantization
    assert tensors["mean_out"].quantization == tensors["sum_out"].quantization
    softmax = tensors["softmax_out"].quant
    assert (softmax.scale, softmax.zero_point) == (1 / 256, -128)


@pytest.mark.parametrize(
    ("layer", "axis"), [("stem", 0), ("depthwise", 3), ("head", 0), ("inner", 0)]
)
def test_weights_and_biases_follow_the_specification(layer, axis):
    graph = classifier()
    quantised = quantize(graph, inputs())
    node = next(node for node in quantised.nodes if node.name == layer)
    x, weights, bias = (quantised.tensors[name] for name in node.inputs)
    real = graph.tensors[f"{layer}_w"].values.astype(np.float64)
    others = tuple(a for a in range(real.ndim) if a != axis)
    largest = np.abs(real).max(axis=others)
    assert weights.quant.axis == axis
    assert weights.quant.scales == pytest.approx(largest / 127, rel=1e-6)
    assert not any(weights.quant.zero_points)
    assert weights.values.min() >= -127
    scales = weights.quant.spread(weights.quant.scales, real.ndim)
    assert np.array_equal(weights.values, round_half_away(real / scales))
    assert bias.dtype is DType.INT32
    products = np.array(weights.quant.scales) * x.quant.scale
    assert bias.quant.scales == tuple(float(np.float32(p)) for p in products)
    offsets = graph.tensors[f"{layer}_b"].values
    assert np.array_equal(bias.values, round_half_away(offsets / products))


def test_dense_layers_can_have_one_weight_scale():
    quantised = quantize(classifier(), inputs(), QuantizeConfig(per_channel_dense=False))
    weights, bias = quantised.tensors["head_w"].quant, quantised.tensors["head_b"].quant
    assert weights.axis is None
    assert len(weights.scales) == len(bias.scales) == 1
    assert quantised.tensors["stem_w"].quant.axis == 0


def decibels(graph, quantised, samples) -> float:
    return attribute(graph, quantised, samples).output.sqnr_db


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_random_networks_stay_close(seed, method):
    graph = classifier(seed)
    quantised = quantize(graph, inputs(16), QuantizeConfig(method=method))
    assert decibels(graph, quantised, inputs(8, seed=2)) > 25.0


@pytest.mark.parametrize("seed", range(4))
def test_deep_plain_networks_stay_close_before_the_softmax(seed):
    net = Network(seed)
    for index in range(5):
        net.conv(6, f"conv{index}", bias=index % 2 == 0)
        net.depthwise(f"depthwise{index}")
    net.dense(5, "head", bias=False)
    graph = net.finish()
    quantised = quantize(graph, inputs(16))
    assert decibels(graph, quantised, inputs(8, seed=2)) > 15.0


def test_stand_alone_clamp_and_constant_addend():
    net = Network()
    net.add(Clamp(Activation.RELU6), name="clamp")
    net.add(Add(), net.constant("table", net.random.normal(size=(1, 12, 10, 3))), name="sum")
    graph = net.finish()
    quantised = quantize(graph, inputs())
    assert quantised.tensors["table"].dtype is DType.INT8
    assert decibels(graph, quantised, inputs(4, seed=3)) > 35.0


@pytest.mark.parametrize("op", [Sub(), Mul()])
def test_differences_and_products(op):
    net = Network()
    net.conv(3, "branch", Activation.NONE)
    net.add(op, "x", name="both")
    graph = net.finish()
    assert decibels(graph, quantize(graph, inputs()), inputs(4, seed=3)) > 28.0


@pytest.mark.parametrize("value", [None, 7.5])
def test_padding_is_in_quanta_of_the_output(value):
    net = Network(shape=(1, 4))
    net.add(Pad((0, 1), (0, 2), value), name="pad")
    graph = net.finish()
    samples = inputs(shape=(1, 4))
    quantised = quantize(graph, samples)
    assert decibels(graph, quantised, samples) > 35.0
    tensor = quantised.tensors["pad_out"]
    (given,) = Reference(quantised).run([np.zeros((1, 4), np.int8)])
    step = tensor.quant.scale
    assert abs((int(given[0, 0]) - tensor.quant.zero_point) * step - (value or 0.0)) <= step / 2


def test_joined_tensors_share_one_scale_that_covers_all():
    net = Network()
    small = net.conv(2, "small")
    net.top = "x"
    large = net.conv(4, "large")
    net.top = small
    net.add(Concat(3), large, name="join")
    graph = net.finish()
    tensors = quantize(graph, inputs()).tensors
    ranges = calibrate(graph, inputs()).ranges
    shared = tensors["join_out"].quantization
    assert tensors[small].quantization == tensors[large].quantization == shared
    assert shared == activation_quantization(0.0, max(ranges[small][1], ranges[large][1]))


def test_softmax_joined_with_a_wider_range_is_requantised_for_the_joint():
    net = Network(shape=(1, 4))
    net.add(Softmax(), name="softmax")
    net.add(Concat(1), "x", name="join")
    graph, samples = net.finish(), inputs(shape=(1, 4))
    quantised = quantize(graph, samples)
    assert [node.op.kind for node in quantised.nodes] == ["softmax", "quantize", "concat"]
    assert quantised.tensors["softmax_out"].quant.scale == 1 / 256
    assert decibels(graph, quantised, samples) > 35.0


def test_float_inputs_and_outputs():
    graph = classifier()
    quantised = quantize(graph, inputs(), QuantizeConfig(float_io=True))
    assert (quantised.inputs, quantised.outputs) == (graph.inputs, graph.outputs)
    assert [quantised.nodes[i].op.kind for i in (0, -1)] == ["quantize", "dequantize"]
    x = inputs(1, seed=5)[0]
    (real,), (given) = Reference(graph).run([x]), Reference(quantised).run([x])
    assert given[0].dtype == np.float32
    np.testing.assert_allclose(given[0], real, atol=0.05)


def test_float_io_where_an_output_is_read_on():
    net = Network()
    early = net.conv(2, "first")
    net.conv(2, "second")
    graph = net.finish(early, net.top)
    quantised = quantize(graph, inputs(), QuantizeConfig(float_io=True))
    assert decibels(graph, quantised, inputs(4)) > 25.0
    assert all(quantised.tensors[name].dtype is DType.FLOAT32 for name in quantised.outputs)


def test_one_constant_read_by_two_layers_gets_a_bias_for_each():
    net = Network(shape=(1, 6))
    weights = net.constant("w", net.random.normal(size=(6, 6)))
    bias = net.constant("b", net.random.normal(size=6))
    net.add(Dense(Activation.RELU), weights, bias, name="one")
    net.add(Dense(), weights, bias, name="two")
    graph = net.finish()
    samples = inputs(64, shape=(1, 6))
    quantised = quantize(graph, samples)
    first, second = (quantised.tensors[node.inputs[2]].quant for node in quantised.nodes)
    assert first.scales != second.scales
    assert decibels(graph, quantised, samples) > 30.0


def test_all_zero_weights_pass_the_bias_through():
    net = Network(shape=(1, 4, 4, 2))
    zeros = net.constant("w", np.zeros((3, 1, 1, 2)))
    bias = net.constant("b", [0.7, -0.2, 0.0])
    net.add(Conv2D(), zeros, bias, name="conv")
    graph = net.finish()
    samples = 1000.0 * inputs(4, shape=(1, 4, 4, 2))
    quantised = quantize(graph, samples)
    assert all(scale > 0.0 for scale in quantised.tensors["w"].quant.scales)
    report = attribute(graph, quantised, samples)
    assert report.output.max_abs <= quantised.tensors["conv_out"].quant.scale


def test_one_idle_channel_and_one_idle_input():
    net = Network(shape=(1, 6, 6, 3))
    net.conv(4, "conv")
    graph = net.finish()
    weights = graph.tensors["conv_w"].values.copy()
    weights[2] = 0.0
    graph = graph.with_nodes(graph.nodes, [_replaced(graph.tensors["conv_w"], weights)])
    samples = inputs(8, shape=(1, 6, 6, 3))
    samples[..., 1] = 0.25
    quantised = quantize(graph, samples)
    assert decibels(graph, quantised, samples) > 30.0


def _replaced(tensor, values):
    return replace(tensor, data=values)


def test_an_input_that_is_always_zero():
    graph = classifier()
    quantised = quantize(graph, np.zeros((2, 1, 12, 10, 3), np.float32))
    report = attribute(graph, quantised, np.zeros((1, 1, 12, 10, 3)))
    assert report.output.max_abs < 0.02


def test_an_output_that_is_never_reached_keeps_multipliers_at_most_one():
    net = Network(shape=(1, 4))
    weights = net.constant("w", [[1.0, -1.0, 0.0, 0.0]])
    net.add(Dense(Activation.RELU), weights, name="difference")
    graph = net.finish()
    samples = np.repeat(inputs(8, shape=(1, 1)), 4, axis=2) * 100
    samples[0, 0, 0] += 1e-4
    tensors = quantize(graph, samples).tensors
    step = tensors["x"].quant.scale * tensors["w"].quant.scales[0]
    assert tensors["difference_out"].quant.scale >= step


def test_bias_correction_removes_the_mean_error_and_adds_missing_biases():
    net = Network(3, shape=(1, 64))
    net.layer(Dense(Activation.NONE), (16, 64), 16, "dense", bias=False)
    graph = net.finish()
    samples = 1.0 + 0.1 * inputs(64, shape=(1, 64))
    plain = quantize(graph, samples, QuantizeConfig(per_channel_dense=False))
    corrected = quantize(graph, samples, QuantizeConfig(per_channel_dense=False, correct_bias=True))
    assert len(plain.nodes[0].inputs) == 2
    assert len(corrected.nodes[0].inputs) == 3
    assert decibels(graph, corrected, samples) > decibels(graph, plain, samples)


def test_equalisation_keeps_the_function_and_helps_uneven_layers():
    net = Network(4, shape=(1, 8, 8, 4))
    net.conv(8, "first")
    net.add(MaxPool2D((2, 2), (2, 2)), name="pool")
    net.dense(5, "head")
    graph = net.finish()
    factor = np.logspace(-2, 1, 8)
    uneven = [
        _replaced(graph.tensors["first_w"], graph.tensors["first_w"].values
                  * factor.astype(np.float32).reshape(-1, 1, 1, 1)),
        _replaced(graph.tensors["first_b"], graph.tensors["first_b"].values
                  * factor.astype(np.float32)),
        _replaced(graph.tensors["head_w"], graph.tensors["head_w"].values
                  / np.tile(factor, 16).astype(np.float32)),
    ]  # fmt: skip
    graph = graph.with_nodes(graph.nodes, uneven)
    samples = inputs(16, shape=(1, 8, 8, 4))
    plain = quantize(graph, samples)
    better = quantize(graph, samples, QuantizeConfig(equalize=True))
    assert decibels(graph, better, samples) > decibels(graph, plain, samples) + 6.0


def test_reshape_between_layers():
    net = Network(shape=(1, 12, 3))
    net.add(Reshape((1, 12, 1, 3)), name="image")
    net.layer(Conv2D(padding=SAME), (4, 3, 3, 3), 4, "conv")
    graph = net.finish()
    samples = inputs(8, shape=(12, 3))
    quantised = quantize(graph, samples)
    assert quantised.tensors["image_out"].quantization == quantised.tensors["x"].quantization
    assert decibels(graph, quantised, samples) > 30.0


@dataclass(frozen=True)
class Unknown(Op):
    kind = "unknown_for_quantisation"

    def infer(self, inputs):
        return (inputs[0].type,)

    def evaluate(self, signature, inputs):
        del signature
        return (inputs[0],)


def test_ops_without_a_rule_are_named():
    net = Network(shape=(1, 4))
    net.add(Unknown(), name="strange")
    with pytest.raises(UnsupportedOp, match=r"strange \(unknown_for_quantisation\)") as caught:
        quantize(net.finish(), inputs(shape=(1, 4)))
    assert "Conv2D" in caught.value.hint


def test_computed_weights_are_refused():
    net = Network(shape=(1, 4))
    weights = net.builder.input("w", DType.FLOAT32, (3, 4))
    net.add(Dense(), weights, name="dense")
    with pytest.raises(UnsupportedOp, match="no constant"):
        quantize(net.finish(), [(np.ones((1, 4)), np.ones((3, 4)))])


def test_unknown_method_suggests():
    with pytest.raises(UnknownName, match="minmax"):
        QuantizeConfig(method="minmaxx")
