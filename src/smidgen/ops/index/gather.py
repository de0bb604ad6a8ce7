"""Gather, GatherNd and UpdateSlice: elements found by positions that are known at run time only.

A position outside of its axis is an error in TensorFlow Lite Micro. Here it is clamped to the
nearest one inside, in reference and C alike: a model never reads beyond its tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.operands import required

POSITIONS = (DType.INT32, DType.INT64)


@dataclass(frozen=True, slots=True)
class Gather(Op):
    """Slices of x along `axis`, in the order of a tensor of positions (GATHER, EMBEDDING_LOOKUP).

    The first `batch_dims` axes of both go together.
    """

    axis: int
    batch_dims: int = 0

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """X's shape with the axis replaced by the positions' own axes."""
        x, positions = pair(inputs)
        rank, batch = len(x.shape), self.batch_dims
        if not 0 <= batch <= self.axis < rank or x.shape[:batch] != positions.shape[:batch]:
            raise GraphError(f"input {x.name!r}", f"{x.shape} gathered by {positions.shape}")
        inner = positions.shape[batch:]
        shape = (*x.shape[: self.axis], *inner, *x.shape[self.axis + 1 :])
        return (TensorType(x.dtype, shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As [batch, outer, axis, inner] and [batch, positions]."""
        x, positions = inputs[0], inputs[1]
        assert x is not None and positions is not None
        batch, outer, extent, inner = self.split(x.shape)
        blocks = x.reshape(batch, outer, extent, inner)
        rows = np.clip(positions.reshape(batch, -1), 0, extent - 1)
        picked = [blocks[index][:, rows[index]] for index in range(batch)]
        return (np.stack(picked).reshape(signature.output.shape),)

    def split(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Elements of the batch axes, those before the axis, the axis, and those after it."""
        return (
            math.prod(shape[: self.batch_dims]),
            math.prod(shape[self.batch_dims : self.axis]),
            shape[self.axis],
            math.prod(shape[self.axis + 1 :]),
        )


@dataclass(frozen=True, slots=True)
class GatherNd(Op):
    """Slices of x at coordinates, which are the last axis of a tensor of positions (GATHER_ND)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The positions' outer axes, then what the coordinates leave of x."""
        x, positions = pair(inputs)
        if not positions.shape or positions.shape[-1] > len(x.shape):
            raise GraphError(f"input {x.name!r}", f"{x.shape} gathered by {positions.shape}")
        return (TensorType(x.dtype, (*positions.shape[:-1], *x.shape[positions.shape[-1] :])),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Advanced indexing."""
        x, positions = inputs[0], inputs[1]
        assert x is not None and positions is not None
        depth = positions.shape[-1]
        limits = np.array(x.shape[:depth]) - 1
        clamped = np.clip(positions, 0, limits)
        picked = x[tuple(clamped[..., axis] for axis in range(depth))]
        return (np.asarray(picked).reshape(signature.output.shape).copy(),)


@dataclass(frozen=True, slots=True)
class UpdateSlice(Op):
    """x with a smaller tensor written over it, at a place known at run time (DYNAMIC_UPDATE_SLICE).

    Inputs: x, update, begin of each axis. The place is moved inside where it reaches out.
    """

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """X's type."""
        x, update, begin = required(inputs, 3)
        fits = update.dtype is x.dtype and len(update.shape) == len(x.shape)
        fits = fits and all(map(int.__le__, update.shape, x.shape))
        if not fits or begin.dtype not in POSITIONS or begin.shape != (len(x.shape),):
            raise GraphError(
                f"input {update.name!r}", f"{update.type} is not written into {x.type}"
            )
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """A copy, with the slice assigned."""
        del signature
        x, update, begin = inputs
        assert x is not None and update is not None and begin is not None
        room = np.array(x.shape) - update.shape
        start = np.clip(begin, 0, room).tolist()
        result = x.copy()
        place = [slice(at, at + size) for at, size in zip(start, update.shape, strict=True)]
        result[tuple(place)] = update
        return (result,)


def pair(inputs: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
    """X and its positions, which must be integers."""
    x, positions = required(inputs, 2)
    if positions.dtype not in POSITIONS:
        raise GraphError(f"positions {positions.name!r}", f"are {positions.dtype.label}")
    if not x.elements:
        raise GraphError(f"input {x.name!r}", "is empty")
    return x, positions
