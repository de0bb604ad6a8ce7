"""Slice and its reference: a regular part of a tensor, forwards or backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.core.errors import GraphError
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import Move, move, row_major
from smidgen.ops.support.operands import only


@dataclass(frozen=True, slots=True)
class Slice(Movement):
    """Along each axis `size` elements from `begin`, `stride` apart (SLICE, STRIDED_SLICE,
    REVERSE_V2). Axes in `dropped`, of size 1, are not in the output's shape.
    """

    begin: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dropped: tuple[int, ...] = ()

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """`size`, without the dropped axes; the whole slice must lie inside the input."""
        x = only(inputs)
        if not len(x.shape) == len(self.begin) == len(self.size) == len(self.stride):
            raise GraphError(f"input {x.name!r}", f"{x.shape} sliced along {len(self.begin)} axes")
        for axis in range(len(x.shape)):
            if not self._fits(axis, x.shape[axis]):
                raise GraphError(f"input {x.name!r}", f"{x.shape} sliced outside axis {axis}")
        kept = (size for axis, size in enumerate(self.size) if axis not in self.dropped)
        return (TensorType(x.dtype, tuple(kept)),)

    def _fits(self, axis: int, extent: int) -> bool:
        begin, size, stride = self.begin[axis], self.size[axis], self.stride[axis]
        if size < 0 or stride == 0 or (axis in self.dropped and size != 1):
            return False
        last = begin + (size - 1) * stride
        return size == 0 or (0 <= begin < extent and 0 <= last < extent)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One strided copy."""
        steps = row_major(shape)
        source = sum(begin * step for begin, step in zip(self.begin, steps, strict=True))
        walked = [stride * step for stride, step in zip(self.stride, steps, strict=True)]
        return (move(self.size, walked, row_major(self.size), source),)
