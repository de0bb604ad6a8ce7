"""The integer softmax of TensorFlow Lite: fixed-point exp and reciprocal, from gemmlowp.

Vectorised over int64 arrays that hold int32 raw values; Qn means n integer bits.
"""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import (
    INT32_MAX,
    Multiplier,
    doubling_high_mul,
    quantize_multiplier,
    rounding_shift_right,
    saturating_shift_left,
)

DIFF_INTEGER_BITS = 5
SUM_INTEGER_BITS = 12

# exp(-2**k) as Q0.31, for k from -2 to 4: fixedpoint.h, exp_on_negative_values.
EXP_FACTORS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def input_multiplier(scale: float, beta: float) -> Multiplier:
    """Brings an input difference to Q5.26 (quantization_util.cc, PreprocessSoftmaxScaling)."""
    real = min(beta * scale * (1 << (31 - DIFF_INTEGER_BITS)), (1 << 31) - 1.0)
    if real <= 1.0:
        raise GraphError(f"softmax of scale {scale}", "its exponents would all be 0")
    return quantize_multiplier(real)


def smallest_difference(left_shift: int) -> int:
    """Differences below this count as exp = 0 (quantization_util.cc, CalculateInputRadius)."""
    reach = ((1 << DIFF_INTEGER_BITS) - 1) * (1 << (31 - DIFF_INTEGER_BITS)) / (1 << left_shift)
    return -math.floor(reach)


def exp_on_negative(a: Array, integer_bits: int = DIFF_INTEGER_BITS) -> Array:
    """Exp of a number <= 0 with at most 5 integer bits, as Q0.31 (exp_on_negative_values)."""
    quarter_bit = 29 - integer_bits
    offset = (a & ((1 << quarter_bit) - 1)) - (1 << quarter_bit)
    result = _exp_near_zero(saturating_shift_left(offset, integer_bits))
    remainder = offset - a
    for index, factor in enumerate(EXP_FACTORS[: integer_bits + 2]):
        bit = 1 << (quarter_bit + index)
        result = np.where(remainder & bit, doubling_high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _exp_near_zero(a: Array) -> Array:
    """Exp on [-1/4, 0) in Q0.31: a Taylor polynomial about -1/8."""
    exp_of_minus_eighth, third = 1895147668, 715827883
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4_over_4 = rounding_shift_right(doubling_high_mul(x2, x2), 2)
    tail = rounding_shift_right(doubling_high_mul(x4_over_4 + x3, third) + x2, 1)
    return exp_of_minus_eighth + doubling_high_mul(x + tail, exp_of_minus_eighth)


def reciprocal(x: Array) -> tuple[Array, Array]:
    """1/x of a positive Q12.19 number: a Q0.31 scale, and the bits that x exceeds 1 by."""
    headroom = 32 - np.floor(np.log2(x.astype(np.float64))).astype(np.int64) - 1
    shifted = (x << headroom) - (1 << 31)
    return one_over_one_plus(shifted), SUM_INTEGER_BITS - headroom


def one_over_one_plus(a: Array) -> Array:
    """1 / (1 + a) for a in [0, 1), Q0.31 (one_over_one_plus_x_for_x_in_0_1)."""
    return saturating_shift_left(_twice_reciprocal(a), 1)


def one_minus_over_one_plus(a: Array) -> Array:
    """(1 - a) / (1 + a) for a in [0, 1), Q0.31 (one_minus_x_over_one_plus_x_for_x_in_0_1)."""
    return saturating_shift_left(_twice_reciprocal(a) - (1 << 29), 2)


def _twice_reciprocal(a: Array) -> Array:
    """2 / (1 + a) as Q2.29: three Newton steps."""
    half_denominator = (a + INT32_MAX + 1) >> 1
    x = 1515870810 + doubling_high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - doubling_high_mul(half_denominator, x)
        x = x + saturating_shift_left(doubling_high_mul(x, error), 2)
    return x


def softmax_quanta(x: Array, factor: Multiplier, output_bits: int) -> Array:
    """Softmax over the last axis of quanta `x`, in output quanta counted from the lowest."""
    difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    exps = exps_of_differences(difference, factor)
    summands = rounding_shift_right(exps, SUM_INTEGER_BITS)
    scale, over_unit = reciprocal(summands.sum(axis=-1, keepdims=True))
    raw = rounding_shift_right(doubling_high_mul(scale, exps), over_unit + 31 - output_bits)
    return np.minimum(raw, (1 << output_bits) - 1)


def exps_of_differences(difference: Array, factor: Multiplier) -> Array:
    """Exp of input differences <= 0, as Q0.31; 0 for those that do not count."""
    counted = difference >= smallest_difference(factor.shift)
    scaled = np.where(counted, difference, 0) << factor.shift
    exps = exp_on_negative(doubling_high_mul(scaled, factor.mantissa))
    return np.where(counted, exps, 0)
