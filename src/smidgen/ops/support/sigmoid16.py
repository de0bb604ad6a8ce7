"""Sigmoid and tanh of 16-bit quanta by one table (TensorFlow Lite, integer_ops/logistic.h, tanh.h).

The table holds sigmoid(i / 24) as Q0.16 for linear interpolation: each entry is raised by half of
what the chord of its segment sags at its middle, which halves the largest error.
"""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array


def _sigmoid_table() -> Array:
    points = 65536.0 / (1.0 + np.exp(-np.arange(0, 257, 0.5) / 24))
    starts, middles, ends = points[0:512:2], points[1:512:2], points[2:514:2]
    table = np.round(starts + (middles - (starts + ends) / 2) / 2).astype(np.uint16)
    table[255] = 65535
    return table


SIGMOID_TABLE = _sigmoid_table()
"""256 values, uint16."""


def sigmoid16(x: Array) -> Array:
    """Q0.15 sigmoid of `x`, which counts 2**-12 / 3 (3 times a Q3.12 number), as int64."""
    x = np.asarray(x, np.int64)
    size = np.abs(x)
    index = np.minimum(size >> 9, 254)
    low, high = _neighbours(index)
    between = (low << 9) + (size & 0x1FF) * (high - low)
    result = np.where(size >> 9 >= 255, 0x7FFF << 10, between)
    return np.where(x >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1) >> 10


def tanh16(x: Array) -> Array:
    """Q0.15 tanh of `x`, which counts 2**-12 / 3 (3 times a Q3.12 number), as int64."""
    x = np.asarray(x, np.int64)
    size = np.abs(x)
    index = np.minimum(size >> 8, 254)
    low, high = _neighbours(index)
    between = (low << 8) + (size & 0xFF) * (high - low)
    result = np.where(size >> 8 >= 255, 0xFFFF << 8, between)
    half, rounding = 1 << 23, 1 << 7
    return np.where(x >= 0, result - half + rounding, half - result + rounding - 1) >> 8


def _neighbours(index: Array) -> tuple[Array, Array]:
    table = SIGMOID_TABLE.astype(np.int64)
    return table[index], table[index + 1]
