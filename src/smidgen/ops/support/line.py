"""Requantisation as one straight line: exact, in two multiplications, a shift and no branches.

A layer's reference rounds twice and clamps; as a function of the accumulator it is a staircase that
never goes down. Where a straight line, rounded down, climbs every step of the staircase at the same
accumulator, it is the same function, however it was rounded. `fit_lines` looks for that line:

    u    = scale * sum + intercept[o]                       32 bits, no overflow
    y[o] = (((u * slope[o]) >> 32) + drop) >> 16            then saturated to 0..255, minus 128

with one `scale` and `drop` for the layer. `sum` is the sum of products w * x over raw input quanta;
bias, both zero points and the rounding are in the intercept. The steps of every output channel are
found in the reference itself (`core.fixedpoint.multiply`), and each is checked against the line,
so a fit is a proof; where the numbers allow none, the caller takes another kernel.

`drop` moves the line's zero far away from the outputs. There, the last bits of the slope shift the
steps by less than the intercept can, which makes a fit all but certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import multiply
from smidgen.ops.support.requantize import Multipliers

_LEVELS = 256
_SLOPES_TRIED = (12, 160)
_FRACTION_BITS = 48
_LARGEST_SHIFT = 20


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of a layer: `intercepts` and `slopes` are int32, one for each output channel."""

    shift: int
    """log2 of the scale."""
    pivot: int
    """What `drop` takes off, in output quanta, beyond the 128 that make outputs unsigned."""
    intercepts: Array
    slopes: Array

    @property
    def scale(self) -> int:
        """What sums are multiplied with."""
        return 1 << self.shift

    @property
    def drop(self) -> int:
        """What is added to the high product, in 1 / 65536 of an output quantum."""
        return (128 - self.pivot) << 16


@dataclass(frozen=True, slots=True, eq=False)
class Staircase:
    """The reference of a layer as a function of its sums of products, one row a channel.

    `lowest` and `highest` bound the sums; `first[o, i]` is the least sum whose output reaches
    `levels[i]`, or highest + 1 where none does.
    """

    lowest: Array
    highest: Array
    reals: Array
    bias: Array
    zero_point: int
    levels: Array
    first: Array


def sum_bounds(weights: Array) -> tuple[Array, Array]:
    """The least and the largest sum of w * x over int8 x, for weights [outputs, products]."""
    positive = np.clip(weights, 0, None).sum(axis=1)
    negative = np.clip(weights, None, 0).sum(axis=1)
    return 127 * negative - 128 * positive, 127 * positive - 128 * negative


def staircase(
    weights: Array, bias: Array, multipliers: Multipliers, zero_point: int, clamp: tuple[int, int]
) -> Staircase | None:
    """The steps of a layer, or None where its accumulators could leave 32 bits.

    Args:
        weights: [outputs, products], int64; rows of channels with multiplier 0 must be 0.
        bias: [outputs], int64, with -zero_point(x) * sum(w) folded in.
        multipliers: one, or one for each output.
        zero_point: of the output.
        clamp: the least and the largest output.
    """
    lowest, highest = sum_bounds(weights)
    mantissas = np.broadcast_to(multipliers.mantissas, bias.shape)[:, None]
    shifts = np.broadcast_to(multipliers.shifts, bias.shape)[:, None]
    extremes = np.maximum(np.abs(lowest + bias), np.abs(highest + bias))
    if (extremes[:, None] << np.maximum(shifts, 0)).max(initial=0) >= 1 << 31:
        return None
    levels = np.arange(clamp[0] + 1, clamp[1] + 1, dtype=np.int64)
    low = np.broadcast_to(lowest[:, None], (len(bias), len(levels))).copy()
    high = np.broadcast_to(highest[:, None] + 1, low.shape).copy()
    while (low < high).any():
        middle = (low + high) >> 1
        reached = multiply(middle + bias[:, None], mantissas, shifts) + zero_point >= levels
        high = np.where(reached, middle, high)
        low = np.where(reached, low, np.minimum(middle + 1, high))
    reals = (mantissas * np.exp2(shifts - 31.0)).reshape(-1)
    return Staircase(lowest, highest, reals, bias, zero_point, levels, low)


def fit_lines(stairs: Staircase, least_shift: int = 0) -> Lines | None:
    """Lines that equal `stairs` for every possible sum, or None where there are none.

    The scale is at least 2**`least_shift`.
    """
    largest = float(stairs.reals.max(initial=2.0**-30))
    # slope = real * 2**(48 - shift) must stay below 2**31.
    shift = max(least_shift, int(np.floor(np.log2(largest * 1.0001))) + 1 + _FRACTION_BITS - 31)
    if shift > _LARGEST_SHIFT:
        return None
    pivot = _pivot(stairs, shift)
    if pivot is None:
        return None
    fits: list[tuple[int, int]] = []
    for channel in range(len(stairs.bias)):
        tries = (_fit_channel(stairs, channel, shift, pivot, reach) for reach in _SLOPES_TRIED)
        fit = next((fit for fit in tries if fit), None)
        if fit is None:
            return None
        fits.append(fit)
    table = np.array(fits, np.int64).reshape(-1, 2)
    return Lines(shift, pivot, table[:, 0], table[:, 1])


def _reals(stairs: Staircase) -> Array:
    """The real multipliers; a constant channel may have any slope."""
    largest = float(stairs.reals.max(initial=0.0)) or 2.0**-10
    return np.where(stairs.reals > 0, stairs.reals, largest)


def _pivot(stairs: Staircase, shift: int) -> int | None:
    """The pivot farthest from 0 that leaves every u in 32 bits and every output in 16."""
    reals = _reals(stairs)
    lowest = (stairs.lowest + stairs.bias) * reals + stairs.zero_point
    highest = (stairs.highest + stairs.bias) * reals + stairs.zero_point
    if max(-lowest.min(), highest.max()) > (1 << 15) - 4 * _LEVELS:
        return None
    room = 2.0**31 * reals / (1 << shift)
    bottom, top = float((-room - lowest).max()) + 2, float((room - highest).min()) - 2
    if bottom > top:
        return None
    pivot = int(np.floor(top)) if top > -bottom else int(np.ceil(bottom))
    return max(-(1 << 13), min(pivot, 1 << 13))


def _fit_channel(
    stairs: Staircase, channel: int, shift: int, pivot: int, reach: int
) -> tuple[int, int] | None:
    """Intercept and slope of one channel, of those that fit the ones with most room to spare.

    Slopes up to `reach` from the exact one are tried.
    """
    real = float(_reals(stairs)[channel])
    centre = round(real * 2.0 ** (_FRACTION_BITS - shift))
    slopes = centre + np.arange(-reach, reach + 1, dtype=np.int64)
    slopes = slopes[(slopes > 0) & (slopes < 1 << 31)]
    if not slopes.size:
        return None
    first, levels = stairs.first[channel], stairs.levels
    lowest, highest = int(stairs.lowest[channel]), int(stairs.highest[channel])
    # The least u that reaches each level: ceil((level + pivot) * 2**48 / slope).
    targets = -((-(levels + pivot) << _FRACTION_BITS) // slopes[:, None])
    least = np.where(first <= highest, targets - (first << shift), -(1 << 40)).max(
        axis=1, initial=-(1 << 31) - (lowest << shift)
    )
    most = np.where(first > lowest, targets - 1 - ((first - 1) << shift), 1 << 40).min(
        axis=1, initial=(1 << 31) - 1 - (highest << shift)
    )
    least, most = np.maximum(least, -(1 << 31)), np.minimum(most, (1 << 31) - 1)
    best = int((most - least).argmax())
    intercept, slope = int(least[best] + most[best]) >> 1, int(slopes[best])
    fits = _fits_16_bits(stairs, channel, shift, pivot, intercept, slope)
    return (intercept, slope) if most[best] >= least[best] and fits else None


def _fits_16_bits(
    stairs: Staircase, channel: int, shift: int, pivot: int, intercept: int, slope: int
) -> bool:
    for total in (int(stairs.lowest[channel]), int(stairs.highest[channel])):
        u = (total << shift) + intercept
        output = (((u * slope) >> 32) + ((128 - pivot) << 16)) >> 16
        if not -(1 << 15) <= output < 1 << 15:
            return False
    return True
