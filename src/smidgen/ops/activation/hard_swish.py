"""The integer hard swish of TensorFlow Lite: 16-bit fixed point throughout (hard_swish.h)."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import quantize_multiplier, rounding_shift_right

_LOW, _HIGH = -(1 << 15), (1 << 15) - 1
FINER_BITS = 7


def hard_swish_quanta(value: Array, input_scale: float, output_scale: float) -> Array:
    """Output quanta, without zero point, of centred quanta."""
    finer_scale = input_scale / (1 << FINER_BITS)
    out_mantissa, out_shift = _factor(finer_scale / output_scale)
    fine = value << FINER_BITS
    gate = _gate(fine, *_factor(finer_scale / (3 / 32768)))
    product = gate * _rounding_high_mul(fine, out_mantissa)
    # Divided towards zero, unlike all other products here.
    unshifted = np.where(product < 0, -(-product >> 15), product >> 15)
    return rounding_shift_right(unshifted, -out_shift)


def _factor(real: float) -> tuple[int, int]:
    """A multiplier with a mantissa of 16 bits (common.h, DownScaleInt32ToInt16Multiplier)."""
    factor = quantize_multiplier(real)
    return min((factor.mantissa + (1 << 15)) >> 16, _HIGH), factor.shift


def _gate(fine: Array, mantissa: int, shift: int) -> Array:
    """min(1, max(0, (x + 3) / 6)) as Q0.15."""
    value = np.clip(fine << max(shift - 1, 0), _LOW, _HIGH) if shift > 0 else fine
    value = _rounding_high_mul(value, mantissa)
    if shift > 0:
        value = np.clip(value << 1, _LOW, _HIGH)
    return (rounding_shift_right(value, max(-shift, 0)) + (1 << 15)) >> 1


def _rounding_high_mul(a: Array, b: int) -> Array:
    """round(a * b / 2**15), ties upwards."""
    return (a * b + (1 << 14)) >> 15
