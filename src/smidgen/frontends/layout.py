"""How a foreign model's value lies in memory: what makes transposes, views and flattens free.

A value keeps the logical axes of its own framework (PyTorch, ONNX), each an ordered product of
*factors*; memory holds the factors in an order of its own, row-major. An image [N, C, H, W] that a
convolution wrote channels-last has the factors (H, W, C) in memory and the axes N=(), C=(2),
H=(0), W=(1); flattened to [N, C*H*W] it has the axes N=(), (2, 0, 1), and no element has moved.
Factors of extent 1 are left out, so that squeezing changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import UnsupportedOp


class NeedsTransposition(UnsupportedOp):
    """The layer could only run if elements were moved to another order in memory."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`extents` of the factors in memory order; for each logical axis, its factors' positions."""

    extents: tuple[int, ...]
    axes: tuple[tuple[int, ...], ...]

    @staticmethod
    def of(shape: Sequence[int], order: Sequence[int] | None = None) -> Layout:
        """Logical `shape` whose axes lie in memory in `order` (as they come where None)."""
        kept = [axis for axis in (order or range(len(shape))) if shape[axis] != 1]
        axes = tuple(
            (kept.index(axis),) if extent != 1 else () for axis, extent in enumerate(shape)
        )
        return Layout(tuple(shape[axis] for axis in kept), axes)

    @staticmethod
    def channels_last(shape: Sequence[int]) -> Layout:
        """Logical `shape` with axis 1 moved to the end of memory, if it has space after it."""
        rank = len(shape)
        return Layout.of(shape, (0, *range(2, rank), 1) if rank > 2 else None)

    @property
    def shape(self) -> tuple[int, ...]:
        """The logical shape."""
        return tuple(math.prod(self.extents[f] for f in axis) for axis in self.axes)

    @property
    def sequence(self) -> tuple[int, ...]:
        """The factors in logical row-major order."""
        return tuple(factor for axis in self.axes for factor in axis)

    def permuted(self, order: Sequence[int]) -> Layout:
        """The same elements with logical axes in another order."""
        return Layout(self.extents, tuple(self.axes[axis] for axis in order))

    def reshaped(self, shape: Sequence[int]) -> Layout:
        """The same elements, in logical row-major order, under another logical shape.

        Raises NeedsTransposition where an axis of `shape` would cut through two factors that do
        not lie beside each other.
        """
        pieces = _split(self._runs(), shape)
        ordered = sorted(piece for axis in pieces for piece in axis)
        return Layout(
            tuple(extent for _, _, extent in ordered),
            tuple(tuple(ordered.index(piece) for piece in axis) for axis in pieces),
        )

    def order(self) -> tuple[int, ...] | None:
        """The order of logical axes in which memory holds them, or None if it cuts through one.

        Axes of extent 1 lie nowhere; they come where the logical order has them.
        """
        shape, keys = self.shape, []
        for axis, factors in enumerate(self.axes):
            before = next((min(f) for f in reversed(self.axes[:axis]) if f), -1)
            keys.append((factors[0] if factors else before, bool(not factors), axis))
        order = tuple(axis for _, _, axis in sorted(keys))
        return order if len(shape) == len(order) and self.is_prefix(order) else None

    def is_prefix(self, axes: Sequence[int]) -> bool:
        """Whether memory begins with exactly these logical axes, in this order."""
        factors = [factor for axis in axes for factor in self.axes[axis]]
        return factors == list(range(len(factors)))

    def is_suffix(self, axis: int) -> bool:
        """Whether memory ends with the factors of this logical axis, in whatever order."""
        factors, count = self.axes[axis], len(self.extents)
        return set(factors) == set(range(count - len(factors), count))

    def physical(self, values: Array) -> Array:
        """`values` of the logical shape, rearranged to memory order: shape `extents`."""
        split = values.reshape([self.extents[factor] for factor in self.sequence])
        return split.transpose(np.argsort(np.array(self.sequence, np.int64)))

    def logical(self, values: Array) -> Array:
        """Elements in memory order under the logical shape (the inverse of `physical`)."""
        return values.reshape(self.extents).transpose(self.sequence).reshape(self.shape)

    def slots(self, axis: int) -> Array:
        """For each slot of `axis` in memory, the logical index of the element that lies there."""
        factors = self.axes[axis]
        indices = np.arange(self.shape[axis]).reshape([self.extents[f] for f in factors])
        return indices.transpose(np.argsort(np.array(factors, np.int64))).reshape(-1)

    def _runs(self) -> list[tuple[int, int]]:
        """(first factor, extent) of the longest stretches that memory holds in logical order."""
        runs: list[tuple[int, int]] = []
        previous = -2
        for factor in self.sequence:
            if factor == previous + 1:
                first, extent = runs.pop()
                runs.append((first, extent * self.extents[factor]))
            else:
                runs.append((factor, self.extents[factor]))
            previous = factor
        return runs


_Piece = tuple[int, int, int]
"""(first factor of the run, position within the run, extent): sorts in memory order."""


def _split(runs: list[tuple[int, int]], shape: Sequence[int]) -> list[list[_Piece]]:
    """The pieces of `runs` that make up each axis of `shape`."""
    pending: list[_Piece] = [(first, 0, extent) for first, extent in reversed(runs)]
    axes: list[list[_Piece]] = []
    for wanted in shape:
        axis: list[_Piece] = []
        missing = wanted
        while missing > 1:
            first, position, extent = pending.pop()
            taken = min(extent, missing)
            if missing % taken or extent % taken:
                raise NeedsTransposition("view", f"axis of {wanted} cuts across the memory order")
            if taken < extent:
                pending.append((first, position + 1, extent // taken))
            axis.append((first, position, taken))
            missing //= taken
        axes.append(axis)
    return axes
