"""Reshape and its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.core.errors import GraphError
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import Move, move
from smidgen.ops.support.operands import only


@dataclass(frozen=True, slots=True)
class Reshape(Movement):
    """The same elements in row-major order, in another shape (RESHAPE, SQUEEZE, EXPAND_DIMS)."""

    shape: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The new shape, which must hold as many elements."""
        x = only(inputs)
        if math.prod(self.shape) != x.elements:
            raise GraphError(f"input {x.name!r}", f"{x.shape} cannot become {self.shape}")
        return (TensorType(x.dtype, self.shape),)

    def moves(self, shape: tuple[int, ...]) -> tuple[Move, ...]:
        """One dense copy."""
        return (move((math.prod(shape),), (1,), (1,)),)
