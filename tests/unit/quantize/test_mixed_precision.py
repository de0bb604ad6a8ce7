"""Layers in 16x8 or float beside int8 ones, and budgets that choose them."""

from __future__ import annotations

import numpy as np
import pytest
from every_op import Net, lstm
from float_networks import Network, classifier, inputs
from test_quantize_ops import assert_c_is_the_reference, samples

from smidgen.core.dtypes import DType
from smidgen.core.errors import ArrayError, UnknownName
from smidgen.graph.graph import Graph
from smidgen.ops.activation.functions import Elu
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.dense.ops import Dense
from smidgen.ops.shape.ops import Reshape
from smidgen.quantize import Budget, QuantizeConfig, attribute, quantize, quantize_to_budget


def decibels(graph: Graph, quantised: Graph, given: np.ndarray) -> float:
    return attribute(graph, quantised, given).output.sqnr_db


def types_of(graph: Graph) -> dict[str, str]:
    return {node.name: graph.tensors[node.outputs[0]].dtype.label for node in graph.nodes}


def test_16x8_has_symmetric_int16_activations_int8_weights_and_int64_biases():
    quantised = quantize(classifier(), inputs(), QuantizeConfig(activations="int16"))
    x, weights, bias = (quantised.tensors[name] for name in quantised.nodes[0].inputs)
    assert (x.dtype, weights.dtype, bias.dtype) == (DType.INT16, DType.INT8, DType.INT64)
    assert all(tensor.quant.zero_point == 0 for tensor in quantised.tensors.values())
    largest = float(np.abs(inputs()).max())
    assert x.quant.scale == pytest.approx(largest / 32767, rel=1e-6)
    assert quantised.tensors["softmax_out"].quant.scale == 1 / 32768
    assert decibels(classifier(), quantised, inputs(8, seed=2)) > 40.0


@pytest.mark.parametrize(
    "keep",
    [
        {"inner": "int16"},
        {"inner": "float"},
        {"stem": "float", "head": "int16"},
        {"conv2d": "int16", "softmax": "float"},
        {"stem": "int16", "depthwise": "float", "sum": "int16"},
    ],
)
def test_mixed_graphs_compile_to_the_reference(keep):
    graph = classifier()
    quantised = quantize(graph, inputs(), QuantizeConfig(keep=keep))
    assert decibels(graph, quantised, inputs(4, seed=2)) > 25.0
    assert_c_is_the_reference(quantised, inputs(3, seed=3))


def test_kept_layers_have_their_type_and_the_others_int8():
    config = QuantizeConfig(keep={"inner": "int16", "head": "float"})
    quantised = quantize(classifier(), inputs(), config)
    types = types_of(quantised)
    assert (types["inner"], types["head"], types["depthwise"]) == ("int16", "float32", "int8")
    assert quantised.tensors["inner_w"].dtype is DType.INT8
    assert quantised.tensors["head_w"].dtype is DType.FLOAT32
    assert types["requantize_depthwise_out"] == "int16"


def test_what_only_moves_follows_what_it_reads():
    net = Network(shape=(1, 12, 10, 3))
    net.conv(4, "conv")
    net.add(Reshape((1, 480)), name="flat")
    net.dense(5, "head")
    graph = net.finish()
    config = QuantizeConfig(keep={"conv": "int16", "head": "int16"})
    quantised = quantize(graph, inputs(), config)
    assert [node.name for node in quantised.nodes] == ["conv", "flat", "head"]
    assert set(types_of(quantised).values()) == {"int16"}


def test_an_op_without_a_rule_can_stay_in_float():
    net = Net()
    sine = net.add(Elu(), net.x)
    graph = net.builder.finish([sine])
    config = QuantizeConfig(activations="int16", keep={"elu": "float"})
    quantised = quantize(graph, samples(), config)
    assert quantised.tensors["x"].dtype is DType.FLOAT32
    assert [node.op.kind for node in quantised.nodes] == ["elu"]


def test_an_lstm_in_float_between_int8_layers():
    net = Net()
    y = net.add(Softmax(), lstm(net, stateful=True))
    graph = net.builder.finish([y])
    config = QuantizeConfig(keep={"lstm": "float"})
    quantised = quantize(graph, samples(), config)
    assert {t.dtype for t in quantised.states} == {DType.FLOAT32}
    assert decibels(graph, quantised, samples(6)) > 33.0


def test_names_that_are_not_there_and_precisions_that_do_not_exist():
    with pytest.raises(UnknownName, match="inner"):
        quantize(classifier(), inputs(), QuantizeConfig(keep={"iner": "int16"}))
    with pytest.raises(UnknownName, match="int16"):
        QuantizeConfig(keep={"inner": "int17"})
    with pytest.raises(UnknownName, match="int8"):
        QuantizeConfig(activations="int4")


def uneven(seed: int = 0) -> tuple[Graph, np.ndarray]:
    """A plain network whose first layer's outputs differ a thousandfold in range."""
    net = Network(seed, shape=(1, 16))
    factor = np.logspace(0, -4, 16)[:, None]
    first = net.constant("first_w", net.random.normal(size=(16, 16)) * factor)
    net.add(Dense(), first, name="first")
    second = net.constant("second_w", net.random.normal(size=(8, 16)) / factor.T)
    net.add(Dense(), second, name="second")
    net.dense(4, "third")
    return net.finish(), inputs(64, shape=(1, 16))


def test_a_budget_that_int8_meets_promotes_nothing():
    result = quantize_to_budget(classifier(), inputs(), budget=Budget(min_sqnr_db=20.0))
    assert result.met
    assert result.promotions == ()
    assert set(types_of(result.graph).values()) == {"int8"}


@pytest.mark.parametrize("least", [25.0, 45.0, 80.0])
def test_promotes_until_the_sqnr_is_met(least):
    graph, given = uneven()
    assert decibels(graph, quantize(graph, given), given) < 10.0
    result = quantize_to_budget(graph, given, budget=Budget(min_sqnr_db=least))
    assert result.met
    assert result.output.sqnr_db >= least
    assert decibels(graph, result.graph, given) >= least
    assert 0 < len(result.promotions) <= 3
    assert quantize(graph, given, result.config).nodes == result.graph.nodes
    assert all(promotion.layer in result.text() for promotion in result.promotions)
    assert_c_is_the_reference(result.graph, given[:3])


def test_agreement_with_the_float_model_is_the_default_score():
    graph, given = uneven(3)
    result = quantize_to_budget(graph, given)
    assert result.met
    assert result.float_score == 1.0
    assert result.score >= 0.99
    assert result.promotions


def test_labels_and_metrics():
    graph, given = uneven(3)
    labels = np.zeros(len(given), int)
    by_label = quantize_to_budget(graph, given, labels, Budget(max_drop=1.0))
    assert 0.0 < by_label.float_score < 1.0
    assert by_label.promotions == ()
    never = quantize_to_budget(graph, given[:8], len, Budget(max_drop=0.0))
    assert (never.met, never.promotions) == (True, ())
    with pytest.raises(ArrayError, match="labels"):
        quantize_to_budget(graph, given, labels[:3])


def test_a_budget_beyond_reach_is_reported_as_missed():
    graph, given = uneven()
    result = quantize_to_budget(graph, given[:8], lambda out: -1.0 if _coarse(out) else 0.0,
                                Budget(max_drop=-1.0))  # fmt: skip
    assert not result.met
    assert "missed" in result.text()
    assert set(types_of(result.graph).values()) == {"float32"}


def _coarse(outputs) -> bool:
    return any(np.isnan(each[0]).any() for each in outputs)
