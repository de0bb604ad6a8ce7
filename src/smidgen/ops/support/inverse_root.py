"""1 / sqrt(x) of positive integers in fixed point, as TensorFlow Lite computes it."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import (
    INT32_MAX,
    doubling_high_mul,
    rounding_shift_right,
    saturating_shift_left,
    wrap32,
)

HALF_SQRT_2 = 1518500250
"""sqrt(1/2) as Q0.31."""


def inverse_root(x: Array) -> tuple[Array, Array]:
    """Mantissa and shift (as `multiply` takes them) of 1 / sqrt(x), 1 <= x < 2**31.

    Five Newton steps from 1 in Q3.28 (common.h, GetInvSqrtQuantizedMultiplierExp).
    """
    x = np.asarray(x, np.int64)
    large = x >= 1 << 29
    reduced = np.where(large, x // 4, np.maximum(x, 2))
    pairs = (30 - np.floor(np.log2(reduced.astype(np.float64))).astype(np.int64)) // 2 - 1
    right_shift = 11 + large - pairs
    mantissa = doubling_high_mul(_newton(reduced << (2 * pairs) >> 1), HALF_SQRT_2)
    mantissa = wrap32(mantissa << np.maximum(-right_shift, 0))
    shift = -np.maximum(right_shift, 0)
    return np.where(x <= 1, INT32_MAX, mantissa), np.where(x <= 1, 0, shift)


def _newton(x: Array) -> Array:
    """1 / sqrt of a Q3.28 number."""
    half = rounding_shift_right(x, 1)
    root = np.full_like(x, 1 << 28)
    for _ in range(5):
        cube = doubling_high_mul(doubling_high_mul(root, root), root)
        error = doubling_high_mul(root, (1 << 28) + (1 << 27)) - doubling_high_mul(
            half, saturating_shift_left(cube, 6)
        )
        root = saturating_shift_left(wrap32(error), 3)
    return root
