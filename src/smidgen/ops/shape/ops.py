"""Reshape and its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same elements under another shape (RESHAPE, SQUEEZE, EXPAND_DIMS)."""

    shape: tuple[int, ...]

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The new shape, which must hold as many elements."""
        x = inputs[0]
        assert x is not None
        if math.prod(self.shape) != x.elements:
            raise GraphError(f"input {x.name!r}", f"{x.shape} cannot become {self.shape}")
        return (TensorType(x.dtype, self.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The elements in row-major order."""
        del signature
        assert inputs[0] is not None
        return (inputs[0].reshape(self.shape),)
