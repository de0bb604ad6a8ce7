"""Ops that put all elements of a tensor in another order, or repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.core.errors import GraphError
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import Move, move, row_major
from smidgen.ops.support.operands import only


def _reordered(shape: Sequence[int], permutation: Sequence[int]) -> Move:
    """The move that transposes an array of `shape`."""
    steps = row_major(shape)
    counts = [shape[axis] for axis in permutation]
    return move(counts, [steps[axis] for axis in permutation], row_major(counts))


@dataclass(frozen=True, slots=True)
class Transpose(Movement):
    """Output axis i is input axis `permutation[i]` (TRANSPOSE)."""

    permutation: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The shape, permuted."""
        x = only(inputs)
        if sorted(self.permutation) != list(range(len(x.shape))):
            raise GraphError(f"input {x.name!r}", f"{x.shape} permuted by {self.permutation}")
        return (TensorType(x.dtype, tuple(x.shape[axis] for axis in self.permutation)),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One strided copy."""
        return (_reordered(shape, self.permutation),)


@dataclass(frozen=True, slots=True)
class BroadcastTo(Movement):
    """Repeated along axes of extent 1 and new leading axes to `shape` (BROADCAST_TO, FILL)."""

    shape: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """`shape`, which the input's must broadcast to."""
        x = only(inputs)
        tail = self.shape[len(self.shape) - len(x.shape) :] if x.shape else ()
        fits = len(x.shape) <= len(self.shape) and all(
            given in (1, wanted) for given, wanted in zip(x.shape, tail, strict=True)
        )
        if not fits:
            raise GraphError(f"input {x.name!r}", f"{x.shape} does not broadcast to {self.shape}")
        return (TensorType(x.dtype, self.shape),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One strided copy; a step of 0 repeats."""
        given = (1,) * (len(self.shape) - len(shape)) + shape
        steps = [
            step if extent > 1 else 0 for step, extent in zip(row_major(given), given, strict=True)
        ]
        return (move(self.shape, steps, row_major(self.shape)),)


@dataclass(frozen=True, slots=True)
class SpaceToDepth(Movement):
    """Blocks of `block` x `block` pixels become one pixel with all their channels."""

    block: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, rows / block, columns / block, C * block * block]."""
        x = _image(only(inputs))
        batch, rows, cols, depth = x.shape
        if rows % self.block or cols % self.block:
            raise GraphError(f"input {x.name!r}", f"{x.shape} has no whole {self.block}-blocks")
        shape = (batch, rows // self.block, cols // self.block, depth * self.block**2)
        return (TensorType(x.dtype, shape),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """[N, rows, block, columns, block, C] with its inner axes transposed."""
        batch, rows, cols, depth = shape
        blocks = (batch, rows // self.block, self.block, cols // self.block, self.block, depth)
        return (_reordered(blocks, (0, 1, 3, 2, 4, 5)),)


@dataclass(frozen=True, slots=True)
class DepthToSpace(Movement):
    """Each pixel becomes a block of `block` x `block` with a part of its channels each."""

    block: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, rows * block, columns * block, C / (block * block)]."""
        x = _image(only(inputs))
        batch, rows, cols, depth = x.shape
        if depth % self.block**2:
            raise GraphError(f"input {x.name!r}", f"{x.shape} has no channels for {self.block}x")
        shape = (batch, rows * self.block, cols * self.block, depth // self.block**2)
        return (TensorType(x.dtype, shape),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """[N, rows, columns, block, block, C] with its inner axes transposed."""
        batch, rows, cols, depth = shape
        parts = (batch, rows, cols, self.block, self.block, depth // self.block**2)
        return (_reordered(parts, (0, 1, 3, 2, 4, 5)),)


def _image(x: Tensor) -> Tensor:
    if len(x.shape) != 4:
        raise GraphError(f"input {x.name!r}", f"is no image [N, rows, columns, C]: {x.shape}")
    return x
