"""Division that rounds down, and its remainder: float32 as in TensorFlow Lite Micro, integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.elementwise.arithmetic import pair
from smidgen.ops.support.broadcast import broadcast_type


@dataclass(frozen=True, slots=True)
class FloorDiv(Op):
    """floor(a / b) (TensorFlow Lite, FLOOR_DIV). Micro stops at b = 0; here IEEE 754 decides.

    Whole numbers divide where they are known, as in shapes; kernels there are for float32 alone.
    """

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (broadcast_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """In float32; a whole number over 0 is 0."""
        del signature
        a, b = pair(inputs)
        with np.errstate(all="ignore"):
            if a.dtype == np.float32:
                return (np.floor(a / b),)
            return (np.where(b == 0, 0, a // np.where(b == 0, 1, b)).astype(a.dtype),)


@dataclass(frozen=True, slots=True)
class FloorMod(Op):
    """The remainder of a / b with the sign of b (TensorFlow Lite, FLOOR_MOD)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (broadcast_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The exact remainder of the truncated quotient, moved by b where the signs differ.

        Of integers it is 0 where b is 0.
        """
        del signature
        a, b = pair(inputs)
        if a.dtype != np.float32:
            return (np.where(b == 0, 0, np.mod(a, np.where(b == 0, 1, b))).astype(a.dtype),)
        with np.errstate(all="ignore"):
            remainder = np.fmod(a, b)
            moves = (remainder != 0) & ((b < 0) != (remainder < 0))
            return (np.where(moves, remainder + b, remainder),)
