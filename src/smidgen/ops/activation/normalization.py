"""Vectors scaled to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import multiply
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.inverse_root import inverse_root
from smidgen.ops.support.operands import only
from smidgen.ops.support.unary import centred

EPSILON = 1e-6
OUTPUT_SHIFT = 7
"""The output's scale is 2**-7."""


@dataclass(frozen=True, slots=True)
class L2Normalize(Op):
    """x / |x| over the last axis (TensorFlow Lite, L2_NORMALIZATION)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type, which is float32 or int8."""
        x = only(inputs)
        if x.dtype not in (DType.FLOAT32, DType.INT8):
            raise GraphError(f"input {x.name!r}", f"a normalisation of {x.dtype.label}")
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """float32 with lengths of at least EPSILON; int8 to scale 1/128 and zero point 0."""
        x = inputs[0]
        assert x is not None
        if signature.output.dtype is DType.FLOAT32:
            return (_real(x),)
        value = centred(x, signature.input(0))
        mantissa, shift = inverse_root((value * value).sum(axis=-1, keepdims=True))
        scaled = multiply(value, mantissa, shift + OUTPUT_SHIFT)
        return (np.clip(scaled, -128, 127).astype(np.int8),)


def _real(x: Array) -> Array:
    """Sums run from left to right."""
    with np.errstate(all="ignore"):
        squares = np.cumsum(x * x, axis=-1, dtype=np.float32)[..., -1:]
        length = np.sqrt(squares)
        return x / np.where(length < np.float32(EPSILON), np.float32(EPSILON), length)
