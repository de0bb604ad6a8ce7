"""Fixed-point arithmetic against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smidgen.core.fixedpoint import (
    INT32_MAX,
    INT32_MIN,
    doubling_high_mul,
    multiply,
    multiply_int64,
    quantize_multiplier,
    round_half_away,
    rounded_div,
    rounding_shift_right,
    wrap32,
)

int32 = st.integers(INT32_MIN, INT32_MAX)


def half_up(x: Fraction) -> int:
    return floor(x + Fraction(1, 2))


def half_away(x: Fraction) -> int:
    return half_up(abs(x)) * (1 if x >= 0 else -1)


def one(x: int) -> np.ndarray:
    return np.array([x], np.int64)


@given(int32, int32)
def test_high_mul_rounds_ties_upwards_and_saturates(a: int, b: int) -> None:
    expected = min(half_up(Fraction(a * b, 1 << 31)), INT32_MAX)
    assert doubling_high_mul(one(a), one(b))[0] == expected


@given(int32, st.integers(0, 31))
def test_shift_rounds_ties_away_from_zero(x: int, n: int) -> None:
    assert rounding_shift_right(one(x), n)[0] == half_away(Fraction(x, 1 << n))


@given(st.integers(-(1 << 62), 1 << 62))
def test_wrap_keeps_the_low_32_bits(x: int) -> None:
    assert wrap32(one(x))[0] == (x + (1 << 31)) % (1 << 32) - (1 << 31)


@given(st.floats(1e-9, 1e9))
def test_multiplier_is_within_one_part_in_2_to_31(real: float) -> None:
    factor = quantize_multiplier(real)
    value = Fraction(factor.mantissa) * Fraction(2) ** (factor.shift - 31)
    assert abs(value / Fraction(real) - 1) <= Fraction(1, 1 << 31)
    assert 1 << 30 <= factor.mantissa <= INT32_MAX


def test_tiny_multipliers_become_zero() -> None:
    assert quantize_multiplier(2.0**-33).mantissa == 0
    assert quantize_multiplier(0.0).mantissa == 0


@given(st.integers(-(1 << 24), 1 << 24), st.floats(2**-20, 1.0, exclude_max=True))
def test_multiply_is_within_one_of_the_real_product(x: int, real: float) -> None:
    factor = quantize_multiplier(real)
    result = multiply(one(x), factor.mantissa, factor.shift)[0]
    assert abs(result - x * real) <= 1


@given(st.integers(-(1 << 40), 1 << 40), st.floats(2**-20, 2**-12))
def test_wide_multiply_keeps_16_bits_of_the_multiplier(x: int, real: float) -> None:
    factor = quantize_multiplier(real)
    result = multiply_int64(one(x), factor.mantissa, factor.shift)[0]
    assert abs(result - x * real) <= 1 + abs(x * real) * 2**-14


@given(int32, st.integers(1, 1 << 16))
def test_rounded_div_rounds_ties_away(numerator: int, divisor: int) -> None:
    assert rounded_div(one(numerator), divisor)[0] == half_away(Fraction(numerator, divisor))


@given(st.floats(-1e6, 1e6, width=32))
def test_round_half_away_is_c_round(x: float) -> None:
    assert round_half_away(np.array([x], np.float32))[0] == half_away(Fraction(x))


def test_round_half_away_of_the_number_just_below_a_half() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert round_half_away(np.array([below]))[0] == 0
