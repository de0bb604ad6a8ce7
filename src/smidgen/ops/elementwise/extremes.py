"""Minimum and maximum of two tensors."""

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
class Minimum(Op):
    """The smaller of two elements (TensorFlow Lite, MINIMUM); all quanta share one scale."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (broadcast_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Element a where a < b, else b: a comparison with NaN takes b."""
        del signature
        a, b = pair(inputs)
        return (np.where(a < b, a, b),)


@dataclass(frozen=True, slots=True)
class Maximum(Op):
    """The larger of two elements (TensorFlow Lite, MAXIMUM); all quanta share one scale."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (broadcast_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Element a where a > b, else b: a comparison with NaN takes b."""
        del signature
        a, b = pair(inputs)
        return (np.where(a > b, a, b),)
