"""Concat, Pack, Split and Unpack: tensors joined along an axis, or taken apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.operands import only, required


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Tensors one after the other along `axis` (CONCATENATION).

    Quanta are copied as they are, as TensorFlow Lite Micro does: all scales are taken to be equal.
    """

    axis: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The shape of the first input, its `axis` as long as all of them together."""
        parts = required(inputs, max(1, len(inputs)))
        first = parts[0]
        if not 0 <= self.axis < len(first.shape):
            raise GraphError(f"input {first.name!r}", f"{first.shape} has no axis {self.axis}")
        for part in parts[1:]:
            fits = len(part.shape) == len(first.shape) and part.dtype is first.dtype
            if not fits or _without(part.shape, self.axis) != _without(first.shape, self.axis):
                raise GraphError(f"input {part.name!r}", f"does not join with {first.name!r}")
        length = sum(part.shape[self.axis] for part in parts)
        shape = (*first.shape[: self.axis], length, *first.shape[self.axis + 1 :])
        return (TensorType(first.dtype, shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy.concatenate."""
        del signature
        return (np.concatenate([part for part in inputs if part is not None], self.axis),)

    def outer(self, signature: Signature) -> int:
        """How many times the parts alternate in memory."""
        return math.prod(signature.output.shape[: self.axis])


@dataclass(frozen=True, slots=True)
class Pack(Op):
    """Tensors of one shape stacked along a new `axis` (PACK)."""

    axis: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The shape of the inputs, with an axis of their number put in."""
        parts = required(inputs, max(1, len(inputs)))
        first = parts[0]
        if not 0 <= self.axis <= len(first.shape):
            raise GraphError(f"input {first.name!r}", f"{first.shape} takes no axis {self.axis}")
        for part in parts[1:]:
            if part.type != first.type:
                raise GraphError(f"input {part.name!r}", f"does not stack with {first.name!r}")
        shape = (*first.shape[: self.axis], len(parts), *first.shape[self.axis :])
        return (TensorType(first.dtype, shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy.stack."""
        del signature
        return (np.stack([part for part in inputs if part is not None], self.axis),)

    def outer(self, signature: Signature) -> int:
        """How many times the parts alternate in memory."""
        return math.prod(signature.output.shape[: self.axis])


@dataclass(frozen=True, slots=True)
class Split(Op):
    """A tensor cut along `axis` into pieces of `sizes` (SPLIT, SPLIT_V)."""

    axis: int
    sizes: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """One output a size."""
        x = only(inputs)
        if not 0 <= self.axis < len(x.shape) or sum(self.sizes) != x.shape[self.axis]:
            raise GraphError(f"input {x.name!r}", f"{x.shape} is not cut into {self.sizes}")
        before, after = x.shape[: self.axis], x.shape[self.axis + 1 :]
        return tuple(TensorType(x.dtype, (*before, size, *after)) for size in self.sizes)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy.split."""
        del signature
        assert inputs[0] is not None
        return tuple(np.split(inputs[0], np.cumsum(self.sizes)[:-1], self.axis))

    def outer(self, signature: Signature) -> int:
        """How many times the pieces alternate in memory."""
        return math.prod(signature.input(0).shape[: self.axis])


@dataclass(frozen=True, slots=True)
class Unpack(Op):
    """A tensor taken apart along `axis`, which goes (UNPACK)."""

    axis: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """As many outputs as the axis is long."""
        x = only(inputs)
        if not 0 <= self.axis < len(x.shape):
            raise GraphError(f"input {x.name!r}", f"{x.shape} has no axis {self.axis}")
        return (TensorType(x.dtype, _without(x.shape, self.axis)),) * x.shape[self.axis]

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Slices along the axis."""
        del signature
        x = inputs[0]
        assert x is not None
        return tuple(np.take(x, index, self.axis) for index in range(x.shape[self.axis]))

    def outer(self, signature: Signature) -> int:
        """How many times the pieces alternate in memory."""
        return math.prod(signature.input(0).shape[: self.axis])


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
