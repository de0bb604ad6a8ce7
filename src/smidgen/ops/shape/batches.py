"""SpaceToBatch and BatchToSpace: pixels of a grid dealt out to batches, and gathered again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import Move, move, row_major
from smidgen.ops.shape.padding import real_zero
from smidgen.ops.support.operands import only

Margins = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SpaceToBatch(Movement):
    """Each of the `block` phases of the spatial axes becomes a batch (SPACE_TO_BATCH_ND).

    The spatial axes follow the batch axis; `padding` (before, after) is added to each first, with
    real zero as in TensorFlow Lite. (Micro leaves the value that it pads with uninitialised.)
    """

    block: tuple[int, ...]
    padding: Margins

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N * blocks, padded spatial axes / block..., the rest]."""
        x = only(inputs)
        _check_rank(x, self.block, self.padding)
        large = [n + sum(pad) for n, pad in zip(x.shape[1:], self.padding, strict=False)]
        if any(n % block for n, block in zip(large, self.block, strict=True)):
            raise GraphError(f"input {x.name!r}", f"{x.shape} has no whole blocks of {self.block}")
        small = [n // block for n, block in zip(large, self.block, strict=True)]
        rest = x.shape[1 + len(small) :]
        return (TensorType(x.dtype, (x.shape[0] * math.prod(self.block), *small, *rest)),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One strided copy for each phase."""
        count = len(self.block)
        small = [
            (n + sum(pad)) // block
            for n, pad, block in zip(shape[1:], self.padding, self.block, strict=False)
        ]
        grid = _Grid(shape, (shape[0], *small, *shape[1 + count :]), self.block, self.padding)
        return tuple(
            move(counts, large_steps, small_steps, large, small_at)
            for counts, large_steps, small_steps, large, small_at in grid.phases()
        )

    def background(self, signature: Signature) -> Array | None:
        """Real zero."""
        return real_zero(signature.output)


@dataclass(frozen=True, slots=True)
class BatchToSpace(Movement):
    """Batches become phases of the spatial axes (BATCH_TO_SPACE_ND).

    The spatial axes follow the batch axis; `crops` (before, after) is cut from each afterwards.
    """

    block: tuple[int, ...]
    crops: Margins

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N / blocks, spatial axes * block - crops..., the rest]."""
        x = only(inputs)
        _check_rank(x, self.block, self.crops)
        shape = self._large(x.shape)
        if x.shape[0] % math.prod(self.block) or min(shape) < 0:
            raise GraphError(f"input {x.name!r}", f"{x.shape} does not hold blocks {self.block}")
        return (TensorType(x.dtype, shape),)

    def _large(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        grown = [
            n * block - sum(crop)
            for n, block, crop in zip(shape[1:], self.block, self.crops, strict=False)
        ]
        return (shape[0] // math.prod(self.block), *grown, *shape[1 + len(grown) :])

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One strided copy for each phase."""
        large = self._large(shape)
        grid = _Grid(large, (large[0], *shape[1:]), self.block, self.crops)
        return tuple(
            move(counts, small_steps, large_steps, small, large_at)
            for counts, large_steps, small_steps, large_at, small in grid.phases()
        )


@dataclass(frozen=True, slots=True)
class _Grid:
    """A large image and the small ones that its phases make; margins lie outside the large one."""

    large: tuple[int, ...]
    small: tuple[int, ...]
    block: tuple[int, ...]
    margins: Margins

    def phases(self) -> Iterator[tuple[list[int], list[int], list[int], int, int]]:
        """(counts, steps in large, steps in small, offset in large, offset in small) of each."""
        large_steps, small_steps = row_major(self.large), row_major(self.small)
        batch_elements = math.prod(self.small)
        walked = list(large_steps)
        for axis, block in enumerate(self.block):
            walked[axis + 1] *= block
        for number, phase in enumerate(product(*map(range, self.block))):
            spans = [self._span(axis, offset) for axis, offset in enumerate(phase)]
            counts = [self.large[0], *(span[2] for span in spans), *self.large[1 + len(spans) :]]
            if min(counts, default=1) == 0:
                continue
            large = sum(span[0] * large_steps[axis + 1] for axis, span in enumerate(spans))
            small = sum(span[1] * small_steps[axis + 1] for axis, span in enumerate(spans))
            yield counts, walked, list(small_steps), large, small + number * batch_elements

    def _span(self, axis: int, phase: int) -> tuple[int, int, int]:
        """First index in large, first in small, and how many, of one phase of one axis."""
        block, skipped = self.block[axis], self.margins[axis][0]
        first = max(0, -((phase - skipped) // block))
        last = min(self.small[axis + 1], -((phase - skipped - self.large[axis + 1]) // block))
        return first * block + phase - skipped, first, max(0, last - first)


def _check_rank(x: Tensor, block: tuple[int, ...], margins: Margins) -> None:
    sound = all(size > 0 for size in block) and all(min(pair) >= 0 for pair in margins)
    if len(block) != len(margins) or len(x.shape) < 1 + len(block) or not sound:
        raise GraphError(f"input {x.name!r}", f"{x.shape} cut by {block} with {margins}")
