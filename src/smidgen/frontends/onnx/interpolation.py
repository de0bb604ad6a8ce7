"""Interpolation along one axis as a matrix: what each output takes of each input (ONNX, Resize)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array


@dataclass(frozen=True, slots=True)
class Filter:
    """How neighbours are weighted."""

    cubic: bool = False
    cubic_a: float = -0.75
    """The free coefficient of the cubic, which ONNX calls `cubic_coeff_a`."""
    antialias: bool = False
    """Whether the filter widens when an axis shrinks."""
    exclude_outside: bool = False
    """Whether neighbours beyond the ends weigh nothing; else the last element goes on there."""

    def weights(self, fraction: float, scale: float) -> tuple[int, Array]:
        """The first neighbour, counted from the element before the place, and all weights.

        `fraction`, above 0 and up to 1, is how far the place is from that element.
        """
        reach = 2 if self.cubic else 1
        shrink = min(scale, 1.0) if self.antialias else 1.0
        first = math.floor(-reach / shrink) + 1
        distance = np.abs((np.arange(first, 2 * reach - first) - fraction) * shrink)
        weights = self._cubic(distance) if self.cubic else np.clip(1.0 - distance, 0.0, 1.0)
        return first, weights / weights.sum() if self.antialias else weights

    def _cubic(self, x: Array) -> Array:
        a = self.cubic_a
        near = (a + 2) * x**3 - (a + 3) * x**2 + 1
        far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0.0))

    def matrix(self, places: Array, extent: int, scale: float) -> Array:
        """[outputs, extent] for outputs that lie at `places` among the inputs."""
        rows = np.zeros((len(places), extent))
        for row, place in zip(rows, places, strict=True):
            before = math.ceil(place) - 1
            first, weights = self.weights(place - before, scale)
            indices = before + first + np.arange(len(weights))
            if self.exclude_outside:
                weights = np.where((indices >= 0) & (indices < extent), weights, 0.0)
                weights = weights / weights.sum()
            np.add.at(row, np.clip(indices, 0, extent - 1), weights)
        return rows
