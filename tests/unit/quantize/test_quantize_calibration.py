"""Ranges from samples, and samples that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest
from float_networks import Network, classifier, inputs

from smidgen.core.dtypes import DType
from smidgen.core.errors import ArrayError, UnsupportedType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.tensor import Quantization
from smidgen.ops.elementwise.ops import Add
from smidgen.quantize import RangeMethod, calibrate
from smidgen.quantize.histogram import Histogram
from smidgen.quantize.scales import activation_quantization, dequantized, quantized


def test_minmax_is_exact_and_includes_zero():
    graph, samples = classifier(), inputs(5)
    calibration = calibrate(graph, samples)
    assert calibration.samples == 5
    seen = np.concatenate([Reference(graph).trace([x])["sum_out"].ravel() for x in samples])
    assert calibration.ranges["sum_out"] == (min(0.0, seen.min()), seen.max())
    assert all(low <= 0.0 <= high for low, high in calibration.ranges.values())


@pytest.mark.parametrize("method", list(RangeMethod))
def test_every_method_includes_zero_and_stays_within_what_was_seen(method):
    net = Network(shape=(1, 4))
    net.add(Add(), net.constant("five", np.full((1, 4), 5.0)), name="shift")
    ranges = calibrate(net.finish(), inputs(20, shape=(1, 4)), method).ranges
    low, high = ranges["shift_out"]
    assert low == 0.0
    assert 4.0 < high < 9.0


def test_percentile_leaves_outliers_out():
    values = np.random.default_rng(0).uniform(-1, 1, 100_000)
    values[:3] = (1000.0, -500.0, 900.0)
    histogram = Histogram()
    for part in np.split(values, 10):
        histogram.widen(part)
        histogram.add(part)
    low, high = histogram.percentile_range(99.99)
    assert -2.0 < low < -0.9
    assert 0.9 < high < 2.0
    assert histogram.percentile_range(100.0) == (-500.0, 1000.0)


def test_histogram_counts_everything_whatever_the_order():
    parts = [np.array([1e-3, 0.0, -2e-3]), np.array([5.0]), np.array([-70.0, 0.0])]
    for order in (parts, parts[::-1]):
        histogram = Histogram()
        for part in order:
            histogram.widen(part)
            histogram.add(part)
        assert histogram.counts.sum() == 4
        assert histogram.zeros == 2
        assert (histogram.low, histogram.high, histogram.limit) == (-70.0, 5.0, 128.0)


def squared_error(values, low, high) -> float:
    quant = activation_quantization(low, high)
    quanta = quantized(values, quant, DType.INT8, -128, 127)
    return float(((values - dequantized(quanta, quant)) ** 2).sum())


def test_least_error_is_no_worse_than_minmax_and_cuts_rare_outliers():
    values = np.random.default_rng(0).normal(size=400_000)
    values[0] = 20.0
    histogram = Histogram()
    histogram.widen(values)
    histogram.add(values)
    found = histogram.least_error_range()
    assert 8.0 < found[1] < 20.0
    assert squared_error(values, *found) < squared_error(values, values.min(), 20.0)


def test_one_array_of_samples_and_a_generator_give_the_same():
    graph, samples = classifier(), inputs(3)
    first = calibrate(graph, samples[:, 0])
    second = calibrate(graph, (x for x in samples))
    assert first.ranges == second.ranges


def test_means_are_averages_over_samples():
    graph, samples = classifier(), inputs(4)
    np.testing.assert_allclose(
        calibrate(graph, samples).means["x"], samples.mean(axis=0), rtol=1e-5, atol=1e-6
    )


BAD = [
    ([], "none"),
    ([np.zeros((1, 12, 10, 4), np.float32)], "shape"),
    ([np.full((1, 12, 10, 3), np.nan, np.float32)], "NaN"),
    ([np.full((1, 12, 10, 3), np.inf)], "NaN or infinity"),
    ([np.zeros((1, 12, 10, 3), complex)], "complex"),
    ([np.full((1, 12, 10, 3), "a")], "<U1"),
]


@pytest.mark.parametrize(("samples", "words"), BAD)
def test_samples_that_cannot_be_used(samples, words):
    with pytest.raises(ArrayError, match=words) as caught:
        calibrate(classifier(), samples)
    assert caught.value.hint


def test_second_sample_is_named():
    samples = [inputs(1)[0], np.zeros((2, 2))]
    with pytest.raises(ArrayError, match="sample 1"):
        calibrate(classifier(), samples)


def test_samples_for_several_inputs_come_as_tuples():
    builder = GraphBuilder("two")
    names = [builder.input(name, DType.FLOAT32, (1, 2)) for name in ("a", "b")]
    graph = builder.finish(builder.add(Add(), names))
    pair = (np.ones((1, 2)), np.full((1, 2), 3.0))
    assert calibrate(graph, [pair]).ranges["b"] == (0.0, 3.0)
    with pytest.raises(ArrayError, match="holds 1 arrays"):
        calibrate(graph, [pair[:1]])


def test_a_quantised_graph_is_refused():
    builder = GraphBuilder("int8")
    quant = Quantization((0.5,), (3,))
    x = builder.input("x", DType.INT8, (1, 2), quant)
    with pytest.raises(UnsupportedType, match="int8"):
        calibrate(builder.finish(builder.add(Add(), [x, x], quant)), [np.zeros((1, 2))])
