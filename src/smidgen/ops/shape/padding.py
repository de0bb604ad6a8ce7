"""Pad and MirrorPad: a tensor with elements added around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import Move, move, row_major
from smidgen.ops.support.operands import only


@dataclass(frozen=True, slots=True)
class Pad(Movement):
    """`before` and `after` elements of one value added along each axis (PAD, PADV2).

    `value` is in quanta; None is real zero as TensorFlow Lite Micro has it: the output's zero point
    for 8-bit types, and plain 0 for all others.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    value: int | float | None = None

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Each axis longer by its padding."""
        x = only(inputs)
        return (TensorType(x.dtype, _padded(x, self.before, self.after)),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """The input as a block inside the output."""
        outer = row_major(_sizes(shape, self.before, self.after))
        start = sum(skip * step for skip, step in zip(self.before, outer, strict=True))
        return (move(shape, row_major(shape), outer, destination=start),)

    def background(self, signature: Signature) -> Array | None:
        """The value."""
        return real_zero(signature.output) if self.value is None else np.asarray(self.value)


@dataclass(frozen=True, slots=True)
class MirrorPad(Movement):
    """The tensor mirrored at its edges (MIRROR_PAD).

    `reflect` leaves out the edge itself (REFLECT); else it is repeated (SYMMETRIC).
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    reflect: bool

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Each axis longer by its padding, which may not exceed what there is to mirror."""
        x = only(inputs)
        padded = _padded(x, self.before, self.after)
        for extent, most in zip(x.shape, map(max, self.before, self.after), strict=True):
            if most > extent - (1 if self.reflect else 0):
                raise GraphError(f"input {x.name!r}", f"{x.shape} is mirrored beyond its size")
        return (TensorType(x.dtype, padded),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One strided copy for each combination of before, middle and after."""
        steps = row_major(shape)
        outer = row_major(_sizes(shape, self.before, self.after))
        regions = [self._regions(axis, extent) for axis, extent in enumerate(shape)]
        return tuple(
            move(
                [region[2] for region in chosen],
                [region[3] * step for region, step in zip(chosen, steps, strict=True)],
                outer,
                sum(region[0] * step for region, step in zip(chosen, steps, strict=True)),
                sum(region[1] * step for region, step in zip(chosen, outer, strict=True)),
            )
            for chosen in product(*regions)
        )

    def _regions(self, axis: int, extent: int) -> list[tuple[int, int, int, int]]:
        """(source, destination, count, direction) of the parts of one axis that are not empty."""
        skip = 1 if self.reflect else 0
        before, after = self.before[axis], self.after[axis]
        regions = [
            (before - 1 + skip, 0, before, -1),
            (0, before, extent, 1),
            (extent - 1 - skip, before + extent, after, -1),
        ]
        return [region for region in regions if region[2]]


def real_zero(tensor: Tensor) -> Array:
    """What Micro pads with: the zero point of an 8-bit tensor, and 0 for all other types."""
    narrow = tensor.dtype in (DType.INT8, DType.UINT8) and tensor.quantization is not None
    return np.asarray(tensor.quant.zero_point if narrow else 0)


def _sizes(shape: Sequence[int], before: Sequence[int], after: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(parts) for parts in zip(shape, before, after, strict=True))


def _padded(x: Tensor, before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, ...]:
    if not len(x.shape) == len(before) == len(after) or min((*before, *after), default=0) < 0:
        raise GraphError(f"input {x.name!r}", f"{x.shape} padded by {before} and {after}")
    return _sizes(x.shape, before, after)
