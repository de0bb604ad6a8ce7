"""Requantisation of four sums in one vector: how cores with 128-bit vectors want the constants."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.ops.support.lowering import wrapped_int32
from smidgen.ops.support.requantize import Multipliers

BLOCK = 4
"""Outputs that are requantised in one vector."""


def rounds_up(multipliers: Multipliers, zero_point: int, clamp: tuple[int, int]) -> bool:
    """Whether ties may be rounded upwards everywhere, and nothing is shifted to the left.

    The clamp must keep nothing below the zero point: there alone ties go the other way.
    """
    return clamp[0] >= zero_point and bool(np.all(multipliers.shifts <= 0))


def requantize_words(bias: Array, multipliers: Multipliers, up: bool) -> Array:
    """[blocks, words, 4] for `bias` [outputs], as smg_mve_requantize reads them.

    smg_neon_requantize has those without `up` always.
    """
    outputs = len(bias)
    rows = [bias, multipliers.mantissas, np.minimum(multipliers.shifts, 0)]
    rows += [] if up else [np.maximum(multipliers.shifts, 0)]
    words = np.zeros((len(rows), -(-outputs // BLOCK) * BLOCK), np.int64)
    for row, values in zip(words, rows, strict=True):
        row[:outputs] = np.broadcast_to(values, outputs)
    return wrapped_int32(words).reshape(len(rows), -1, BLOCK).transpose(1, 0, 2)
