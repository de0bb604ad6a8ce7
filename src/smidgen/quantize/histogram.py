"""A histogram that grows with its data, and the ranges that can be read off it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.quantize.scales import activation_quantization, dequantized, quantized

BINS = 4096
SHRINKS = tuple(2.0 ** (-step / 8) for step in range(25))
"""The fractions of the full range that the search for the least error tries: 1 down to 1/8."""


@dataclass(slots=True)
class Histogram:
    """Counts over [-limit, limit], a power of two that doubles as larger values come.

    Exact zeros, which every quantisation represents exactly, are counted apart.
    """

    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))
    limit: float = 0.0
    zeros: int = 0
    low: float = math.inf
    high: float = -math.inf

    def widen(self, values: Array) -> None:
        """Take note of the smallest and largest of `values`, and count none."""
        self.low = min(self.low, float(values.min(initial=math.inf)))
        self.high = max(self.high, float(values.max(initial=-math.inf)))

    def add(self, values: Array) -> None:
        """Count all elements of `values`, which are finite and were given to `widen`."""
        there = values[values != 0.0].astype(np.float64)
        self.zeros += values.size - there.size
        if there.size:
            self._grow(float(np.abs(there).max()))
            position = ((there / self.limit + 1.0) * (BINS / 2)).astype(np.int64)
            self.counts += np.bincount(np.clip(position, 0, BINS - 1), minlength=BINS)

    def _grow(self, largest: float) -> None:
        if self.limit == 0.0:
            self.limit = 2.0 ** math.ceil(math.log2(largest))
        while self.limit < largest:
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.pad(merged, BINS // 4)
            self.limit *= 2.0

    @property
    def centres(self) -> Array:
        """The middle of each bin."""
        return ((np.arange(BINS) + 0.5) / (BINS / 2) - 1.0) * self.limit

    def percentile_range(self, percent: float) -> tuple[float, float]:
        """The range that leaves at most (100 - `percent`) % of the elements out at either end."""
        whole = self.counts.copy()
        whole[BINS // 2] += self.zeros
        left_out = (1.0 - percent / 100.0) * whole.sum()
        below, above = np.cumsum(whole), np.cumsum(whole[::-1])[::-1]
        first = int(np.argmax(below > left_out))
        last = BINS - 1 - int(np.argmax((above > left_out)[::-1]))
        width = 2.0 * self.limit / BINS
        low, high = first * width - self.limit, (last + 1) * width - self.limit
        return max(self.low, low), min(self.high, high)

    def least_error_range(self, dtype: DType = DType.INT8) -> tuple[float, float]:
        """The range within [low, high] whose quantisation has the least squared error.

        Both ends are shrunk together first, then each on its own.
        """
        filled = np.flatnonzero(self.counts)
        points, weights = self.centres[filled], self.counts[filled]
        full = (min(self.low, 0.0), max(self.high, 0.0))

        def error(ends: tuple[float, float]) -> float:
            quant = activation_quantization(*ends, dtype)
            restored = dequantized(quantized(points, quant, dtype, *dtype.range), quant)
            return float(weights @ (points - restored) ** 2)

        low, high = min(((full[0] * f, full[1] * f) for f in SHRINKS), key=error)
        low, high = min(((low, full[1] * f) for f in SHRINKS), key=error)
        return min(((full[0] * f, high) for f in SHRINKS), key=error)
