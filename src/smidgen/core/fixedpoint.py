"""Fixed-point arithmetic of the TensorFlow Lite quantisation specification, vectorised in NumPy.

Every function takes and returns int64 arrays that hold int32 values, so that no step overflows
unseen. Names and roundings are those of gemmlowp's fixedpoint.h and TensorFlow Lite Micro's
kernels/internal/common.cc (double rounding); generated C does the same, bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array

INT32_MAX = (1 << 31) - 1
INT32_MIN = -(1 << 31)


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A positive real number as mantissa * 2**(shift - 31), with a 31-bit mantissa."""

    mantissa: int
    shift: int


def quantize_multiplier(real: float) -> Multiplier:
    """The nearest `Multiplier` to `real` (TensorFlow Lite, QuantizeMultiplier)."""
    if real == 0.0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    mantissa = math.floor(abs(fraction) * (1 << 31) + 0.5)
    if mantissa == 1 << 31:
        mantissa //= 2
        shift += 1
    if shift < -31:
        return Multiplier(0, 0)
    return Multiplier(int(math.copysign(mantissa, real)), shift)


def wrap32(x: Array) -> Array:
    """`x` modulo 2**32 as a signed int32: what C's two's complement keeps."""
    wrapped: Array = ((x.astype(np.int64) - INT32_MIN) & 0xFFFFFFFF) + INT32_MIN
    return wrapped


def doubling_high_mul(a: Array, b: Array | int) -> Array:
    """round(a * b / 2**31), ties up, saturated (gemmlowp SaturatingRoundingDoublingHighMul)."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    result: Array = np.minimum((product + (1 << 30)) >> 31, INT32_MAX)
    return result


def rounding_shift_right(x: Array, exponent: Array | int) -> Array:
    """round(x / 2**exponent), ties away from zero (gemmlowp RoundingDivideByPOT)."""
    x = np.asarray(x, np.int64)
    exponent = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    result: Array = (x >> exponent) + ((x & mask) > threshold)
    return result


def saturating_shift_left(x: Array, exponent: int) -> Array:
    """`x` * 2**exponent, saturated to int32 (gemmlowp SaturatingRoundingMultiplyByPOT, upwards)."""
    result: Array = np.clip(np.asarray(x, np.int64) << exponent, INT32_MIN, INT32_MAX)
    return result


def multiply(x: Array, mantissa: Array | int, shift: Array | int) -> Array:
    """`x` times a quantised multiplier (Micro's MultiplyByQuantizedMultiplier on int32)."""
    shift = np.asarray(shift, np.int64)
    widened = wrap32(np.asarray(x, np.int64) << np.maximum(shift, 0))
    return rounding_shift_right(doubling_high_mul(widened, mantissa), np.maximum(-shift, 0))


def multiply_int64(x: Array, mantissa: Array | int, shift: Array | int) -> Array:
    """`x` times a 16-bit multiplier (Micro's MultiplyByQuantizedMultiplier on int64)."""
    mantissa = np.asarray(mantissa, np.int64)
    reduced = np.where(mantissa < 0x7FFF0000, (mantissa + (1 << 15)) >> 16, 0x7FFF)
    total = 15 - np.asarray(shift, np.int64)
    return wrap32((np.asarray(x, np.int64) * reduced + (np.int64(1) << (total - 1))) >> total)


def rounded_div(numerator: Array, divisor: Array | int) -> Array:
    """`numerator` / `divisor` rounded to the nearest, ties away from zero; divisor > 0."""
    numerator = np.asarray(numerator, np.int64)
    divisor = np.asarray(divisor, np.int64)
    half = divisor // 2
    magnitude = (np.abs(numerator) + half) // divisor
    result: Array = np.where(numerator > 0, magnitude, -magnitude)
    return result


def round_half_away(x: Array) -> Array:
    """Float `x` rounded to whole numbers, ties away from zero (C's round), in its own precision."""
    whole = np.trunc(x)
    # x + 0.5 would itself be rounded: 0.49999997 + 0.5 is 1 in float32.
    rounded = np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(1, x), whole)
    result: Array = rounded.astype(x.dtype)
    return result
