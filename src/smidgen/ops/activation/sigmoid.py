"""The integer logistic and tanh of TensorFlow Lite: int8 in fixed point, int16 by a table.

Both come from one function: tanh(x) = 2 logistic(2x) - 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import INT32_MAX, multiply, quantize_multiplier, rounding_shift_right
from smidgen.ops.activation.softmax import (
    exp_on_negative,
    one_minus_over_one_plus,
    one_over_one_plus,
)
from smidgen.ops.support.sigmoid16 import sigmoid16, tanh16

INTEGER_BITS = 4


def logistic_bytes(value: Array, scale: float) -> Array:
    """Int8 quanta of scale 1/256 and zero point -128 (integer_ops/logistic.h)."""
    inside, fixed = _in_q4(value, scale)
    upper = one_over_one_plus(exp_on_negative(-np.abs(fixed), INTEGER_BITS))
    result = np.where(fixed < 0, INT32_MAX - upper, upper)
    result = np.where(fixed == 0, 1 << 30, result)
    quanta = rounding_shift_right(result, 23) - 128
    return np.where(inside, quanta, _limits(value))


def tanh_bytes(value: Array, scale: float) -> Array:
    """Int8 quanta of scale 1/128 and zero point 0 (integer_ops/tanh.h)."""
    inside, fixed = _in_q4(value, scale)
    # Twice x: the same number, read with one integer bit more.
    size = one_minus_over_one_plus(exp_on_negative(-np.abs(fixed), INTEGER_BITS + 1))
    result = np.where(fixed < 0, -size, np.where(fixed == 0, 0, size))
    quanta = rounding_shift_right(result, 24)
    return np.where(inside, quanta, _limits(value))


def _limits(value: Array) -> Array:
    """Where reach ends; from a scale of 8 on 0 is in none, and Micro asks for the lower first."""
    return np.where(value <= 0, -128, 127)


def _in_q4(value: Array, scale: float) -> tuple[Array, Array]:
    """Whether a centred quantum is within reach of Q4.27, and what it is there (else 0)."""
    factor = quantize_multiplier(scale * (1 << (31 - INTEGER_BITS)))
    reach = ((1 << INTEGER_BITS) - 1) * (1 << (31 - INTEGER_BITS)) / 2.0**factor.shift
    inside = np.abs(value) < int(np.floor(reach))
    return inside, multiply(np.where(inside, value, 0), factor.mantissa, factor.shift)


@dataclass(frozen=True, slots=True)
class TableScaling:
    """x to table steps: (x * multiplier + half) >> shift, where half rounds."""

    multiplier: int
    shift: int

    @staticmethod
    def of(scale: float, exact_shifts: tuple[int, ...]) -> TableScaling:
        """3 * 4096 * scale; exact where `scale` is 2**(n - 12) and n in `exact_shifts`."""
        exponent = np.log(np.float32(scale)) * (np.float32(1) / np.log(np.float32(2)))
        nearest = np.rint(exponent)
        shift = 12 + int(nearest)
        if abs(exponent - nearest) < 1e-3 and shift in exact_shifts:
            return TableScaling(3 << shift, 0)
        multiplier, shift = scale * 4096.0 * 3.0, 0
        while multiplier <= 32767.0 / 2.0 and shift <= 30:
            multiplier, shift = multiplier * 2.0, shift + 1
        return TableScaling(int(multiplier), shift)

    def apply(self, value: Array) -> Array:
        """Table steps of centred quanta."""
        half = 1 << (self.shift - 1) if self.shift else 0
        return (value * self.multiplier + half) >> self.shift


def logistic_scaling(scale: float) -> TableScaling:
    """Of an int16 input (logistic_common.cc)."""
    return TableScaling.of(scale, (0,))


def tanh_scaling(scale: float) -> TableScaling:
    """Of an int16 input (tanh.cc)."""
    return TableScaling.of(scale, (0, 1))


def logistic_words(value: Array, scale: float) -> Array:
    """Int16 quanta of scale 1/32768."""
    return sigmoid16(logistic_scaling(scale).apply(value))


def tanh_words(value: Array, scale: float) -> Array:
    """Int16 quanta of scale 1/32768."""
    return tanh16(tanh_scaling(scale).apply(value))
