"""An int8 sum as one plane: exact, in two multiplications, a shift and a saturation.

The reference of Add rounds three times. Its outputs for all 256 * 256 pairs of quanta are known at
compile time, so that a plane

    y(a, b) = saturate((slope_a * a + slope_b * b + intercept) >> shift)

can be checked against every one of them. `fit_plane` looks for one; a fit is a proof. Where exact
ties are rounded away from zero on both sides of it there is none, and callers take another kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array

_ROOM = (1 << 31) - 1
_REACH = 12
"""Slopes that far from the rounded real ones are tried."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The constants of the plane; every result before the shift fits in 32 bits."""

    slopes: tuple[int, int]
    intercept: int
    shift: int


def fit_plane(
    outputs: Array, reals: tuple[float, float], origin: float, clamp: tuple[int, int]
) -> Plane | None:
    """The plane that equals `outputs`, or None where there is none.

    Args:
        outputs: [256, 256], the output for quanta a - 128 and b - 128.
        reals: what one quantum of a and of b adds to the output.
        origin: the real output, in quanta, for a = b = 0.
        clamp: the least and the largest output.
    """
    wide = outputs.astype(np.int64)
    # 2 quanta are to spare for what rounding and the fit move.
    extent = abs(origin) + 128.0 * (reals[0] + reals[1]) + 2.0
    for shift in range(min(23, int(np.log2(_ROOM / extent))), 11, -1):
        found = _fit(wide, reals, clamp, shift)
        if found is not None:
            return found
    return None


def _fit(
    outputs: Array, reals: tuple[float, float], clamp: tuple[int, int], shift: int
) -> Plane | None:
    centre = [round(real * 2.0**shift) for real in reals]
    a, b, low, high = _critical(outputs, centre, clamp, shift)
    steps = np.arange(-_REACH, _REACH + 1)
    for da in steps[np.argsort(np.abs(steps), kind="stable")]:
        sums = (centre[0] + da) * a + (centre[1] + steps[:, None]) * b
        least = (low - sums).max(axis=1, initial=-_ROOM)
        most = (high - sums).min(axis=1, initial=_ROOM)
        best = int((most - least).argmax())
        if least[best] <= most[best]:
            slopes = (int(centre[0] + da), int(centre[1] + steps[best]))
            plane = Plane(slopes, int(least[best] + most[best]) >> 1, shift)
            if _equals(plane, outputs, clamp):
                return plane
    return None


def _critical(
    outputs: Array, centre: list[int], clamp: tuple[int, int], shift: int
) -> tuple[Array, Array, Array, Array]:
    """The pairs that can decide, with the least and the largest sum of products they allow."""
    a, b = (axis.reshape(-1) for axis in np.mgrid[-128:128, -128:128])
    y = outputs.reshape(-1)
    low = np.where(y > clamp[0], y << shift, -(1 << 40))
    high = np.where(y < clamp[1], ((y + 1) << shift) - 1, 1 << 40)
    sums = centre[0] * a + centre[1] * b
    margin = 4 * _REACH * 128
    tight_low = (low - sums) > (low - sums).max() - margin
    tight_high = (high - sums) < (high - sums).min() + margin
    kept = tight_low | tight_high
    return a[kept], b[kept], low[kept], high[kept]


def _equals(plane: Plane, outputs: Array, clamp: tuple[int, int]) -> bool:
    """Whether the plane gives all of `outputs`, without a result beyond 32 bits."""
    quanta = np.arange(-128, 128, dtype=np.int64)
    sums = plane.slopes[0] * quanta[:, None] + plane.slopes[1] * quanta + plane.intercept
    fits = int(np.abs(sums).max()) < _ROOM
    return fits and bool(np.array_equal(np.clip(sums >> plane.shift, *clamp), outputs))
