"""The arithmetic of the specification: scales, zero points, weight and bias quanta."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.core.dtypes import DType
from smidgen.graph.tensor import Quantization
from smidgen.quantize.scales import activation_quantization, dequantized, quantized, weight_scales


@pytest.mark.parametrize(
    ("low", "high", "scale", "zero_point"),
    [
        (0.0, 255.0, 1.0, -128),
        (-128.0, 127.0, 1.0, 0),
        (-1.0, 1.0, 2 / 255, 0),
        (0.0, 6.0, 6 / 255, -128),
        (-6.0, 0.0, 6 / 255, 127),
        (2.0, 5.1, 5.1 / 255, -128),
        (-5.1, -2.0, 5.1 / 255, 127),
    ],
)
def test_known_activation_ranges(low, high, scale, zero_point):
    quant = activation_quantization(low, high)
    assert quant.scale == float(np.float32(scale))
    assert quant.zero_point == zero_point


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_zero_is_exact_and_ends_are_within_half_a_step(one, other):
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    quant = activation_quantization(low, high)
    assert quant.scale > 0.0
    assert quant.scale == float(np.float32(quant.scale))
    assert -128 <= quant.zero_point <= 127
    values = np.array([0.0, low, high])
    restored = dequantized(quantized(values, quant, DType.INT8, -128, 127), quant)
    assert restored[0] == 0.0
    if high - low > 1e-30:
        assert np.abs(restored - values).max() <= quant.scale * 0.5001 * (1 + 1e-4)


@pytest.mark.parametrize("span", [(0.0, 0.0), (0.0, 1e-44), (-1e-300, 0.0)])
def test_ranges_of_nothing_have_a_usable_scale(span):
    quant = activation_quantization(*span)
    assert quant.scale > 0.0


def test_quanta_round_half_away_from_zero():
    quant = Quantization((1.0,), (0,))
    values = np.array([0.5, 1.5, -0.5, -1.5, 2.4999, 200.0, -200.0])
    assert quantized(values, quant, DType.INT8, -127, 127).tolist() == [1, 2, -1, -2, 2, 127, -127]


def test_weight_scales_are_the_largest_magnitude_over_127():
    weights = np.array([[1.0, -2.54], [0.127, 0.0]])
    assert weight_scales(weights, 0, None, 1.0, 1.0) == pytest.approx((0.02, 0.001))
    assert weight_scales(weights, None, None, 1.0, 1.0) == pytest.approx((0.02,))
    assert weight_scales(weights, 1, None, 1.0, 1.0) == pytest.approx((1 / 127, 0.02))


def test_all_zero_weights_keep_a_scale_that_resolves_the_bias():
    bias = np.array([3.0, -3.0])
    scales = weight_scales(np.zeros((2, 4)), 0, bias, 0.5, 0.1)
    step = 0.5 * scales[0]
    assert step > 0.0
    assert abs(round(3.0 / step) * step - 3.0) < 0.1 / 256


def test_a_large_bias_coarsens_tiny_weights_until_it_fits():
    (scale,) = weight_scales(np.full((1, 4), 1e-12), 0, np.array([5.0]), 0.1, 0.1)
    assert 5.0 / (0.1 * scale) <= 2**30 * 1.0001
