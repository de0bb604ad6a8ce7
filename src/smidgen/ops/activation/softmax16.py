"""The int16 softmax of TensorFlow Lite: two interpolated tables, for exp and for 1 / (1 + x)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.ops.support import float_math
from smidgen.ops.support.float_math import round_half_away

_LOWEST, _HIGHEST, _RANGE = -32768, 32767, 65535
_STEPS = 512


def difference_multiplier(scale: float, beta: float) -> Multiplier:
    """Brings differences to the row's maximum to 65535 quanta for -10 (softmax_common.cc)."""
    return quantize_multiplier(scale * beta / (10.0 / 65535.0))


def exp_table() -> Array:
    """Exp on [-10, 0] as Q0.15, int16 [513]."""
    return _table(10.0, _HIGHEST, float_math.exp)


def reciprocal_table() -> Array:
    """1 / (1 + x) on [0, 1] as Q0.15, int16 [513]."""
    return _table(1.0, _LOWEST, lambda x: np.float32(1) / (np.float32(1) + x))


def _table(width: float, zero_point: int, function: Callable[[Array], Array]) -> Array:
    """`function` at 512 steps, biased by half of the chord's error (common.h, LUTPopulateInt16)."""
    scale, out_scale = np.float32(width) / np.float32(_RANGE), np.float32(2) / np.float32(_RANGE)
    lowest = scale * np.float32(_LOWEST - zero_point)
    highest = scale * np.float32(_HIGHEST - zero_point)
    step = (highest - lowest) / np.float32(_STEPS)
    span = out_scale * np.float32(_HIGHEST) - out_scale * np.float32(_LOWEST)
    finer = np.float32(_RANGE + 1) / span
    count = np.arange(_STEPS + 1, dtype=np.float32)
    points = lowest + count * step
    points[-1] = highest
    values = function(points) * finer
    middles = round_half_away(function(lowest + count[:-1] * step + step / np.float32(2)) * finer)
    following = function(lowest + count[1:] * step) * finer
    samples = round_half_away(values)
    chords = round_half_away((following + samples[:-1]) / np.float32(2))
    samples[:-1] -= round_half_away((chords - middles) / np.float32(2))
    return np.clip(samples, _LOWEST, _HIGHEST).astype(np.int16)


def looked_up(table: Array, x: Array) -> Array:
    """The table at int16 `x`: 9 bits of index, 7 of interpolation (common.h, LUTLookup)."""
    entries = table.astype(np.int64)
    index = 256 + (x >> 7)
    low = entries[index]
    rise = ((entries[index + 1] - low) * (x & 127) + 64) >> 7
    return np.asarray(low + rise)


def softmax_words(x: Array, factor: Multiplier) -> Array:
    """Softmax over the last axis of int16 quanta, as Q0.15 (softmax.h, SoftmaxInt16)."""
    difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
    scaled = multiply(difference, factor.mantissa, factor.shift) + _HIGHEST
    exps = looked_up(exp_table(), np.clip(scaled, _LOWEST, _HIGHEST))
    total = exps.sum(axis=-1, keepdims=True)
    zeros = 31 - np.floor(np.log2(total.astype(np.float64))).astype(np.int64)
    shifted = ((total << (zeros - 1)) + (1 << 13)) >> 14
    position = np.clip(shifted - (1 << 15) - (1 << 16), _LOWEST, _HIGHEST)
    product = exps * looked_up(reciprocal_table(), position)
    right = 31 - zeros
    return np.asarray(np.clip((product + (1 << (right - 1))) >> right, 0, _HIGHEST))
