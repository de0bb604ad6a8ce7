"""How elements move: strided copies, which every op of this family breaks down to.

A `Move` takes a block of elements from one array to another, each walked with a step for each axis:
a step of 0 repeats, a negative one reverses. Offsets and steps count elements until `table` turns
them into bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array

Axis = tuple[int, int, int]
"""Count, step in the source, step in the destination."""


@dataclass(frozen=True, slots=True)
class Move:
    """One strided copy: where it starts on both sides, and its axes, outermost first."""

    source: int
    destination: int
    axes: tuple[Axis, ...]

    @property
    def elements(self) -> int:
        """How many elements it writes."""
        count = 1
        for axis in self.axes:
            count *= axis[0]
        return count


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The step of each axis of a dense array of `shape`."""
    steps = [1]
    for extent in reversed(shape[1:]):
        steps.append(steps[-1] * extent)
    return tuple(reversed(steps))[: len(shape)] if shape else ()


def move(
    counts: Sequence[int],
    source_steps: Sequence[int],
    destination_steps: Sequence[int],
    source: int = 0,
    destination: int = 0,
) -> Move:
    """A move with as few axes as will do: axes of one element go, neighbours in step merge."""
    axes: list[Axis] = []
    for axis in zip(counts, source_steps, destination_steps, strict=True):
        if axis[0] == 1:
            continue
        if axes and _continues(axes[-1], axis):
            axes[-1] = (axes[-1][0] * axis[0], axis[1], axis[2])
        else:
            axes.append(axis)
    return Move(source, destination, tuple(axes))


def _continues(outer: Axis, inner: Axis) -> bool:
    """Whether a step of `outer` is a full walk along `inner`, in source and destination."""
    return outer[1] == inner[0] * inner[1] and outer[2] == inner[0] * inner[2]


def is_whole(moves: Sequence[Move], elements: int) -> bool:
    """Whether the moves are one dense copy of `elements` from anywhere to the start."""
    if len(moves) != 1 or moves[0].destination != 0:
        return False
    return moves[0].axes in ((), ((elements, 1, 1),)) and moves[0].elements == elements


def apply(moves: Iterable[Move], source: Array, destination: Array) -> None:
    """Carry the moves out on flat arrays, in NumPy."""
    for item in moves:
        reads = np.asarray(item.source)
        writes = np.asarray(item.destination)
        for count, source_step, destination_step in item.axes:
            walk = np.arange(count)
            reads = reads[..., None] + walk * source_step
            writes = writes[..., None] + walk * destination_step
        destination[writes] = source[reads]


def run_starts(moves: Sequence[Move], elements: int) -> Array | None:
    """The source of each dense run, if one move writes `elements` from start to end; else None."""
    if len(moves) != 1 or moves[0].destination or moves[0].elements != elements or not elements:
        return None
    run, axes = _folded(moves[0])
    written = run
    for count, _, step in reversed(axes):
        if step != written:
            return None
        written *= count
    starts = np.asarray([moves[0].source])
    for count, step, _ in axes:
        starts = starts[..., None] + np.arange(count) * step
    return starts.reshape(-1)


def table(moves: Sequence[Move], element_bytes: int) -> tuple[int, Array]:
    """The moves as the C kernel reads them: axes a move, and int32 rows in bytes.

    A row is [source, destination, run bytes, then count, source step, destination step for each
    axis]. The innermost axis becomes the run where it is dense on both sides. Every row has the
    same number of axes, at least one; the outer ones of a simpler move count to 1.
    """
    folded = [_folded(item) for item in moves]
    axes = max([1, *(len(rest) for _, rest in folded)])
    rows = []
    for item, (run, rest) in zip(moves, folded, strict=True):
        padded = [(1, 0, 0)] * (axes - len(rest)) + list(rest)
        row = [item.source * element_bytes, item.destination * element_bytes, run * element_bytes]
        for count, source_step, destination_step in padded:
            row += [count, source_step * element_bytes, destination_step * element_bytes]
        rows.append(row)
    return axes, np.array(rows, np.int32)


def _folded(item: Move) -> tuple[int, tuple[Axis, ...]]:
    """The length of a dense run, and the axes around it."""
    if item.axes and item.axes[-1][1:] == (1, 1):
        return item.axes[-1][0], item.axes[:-1]
    return 1, item.axes
