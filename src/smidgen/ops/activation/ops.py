"""The activation ops and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.activation.softmax import input_multiplier, softmax_quanta
from smidgen.ops.activation.softmax16 import difference_multiplier, softmax_words
from smidgen.ops.support import float_math
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.operands import only
from smidgen.ops.support.rescale import rescaled


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """exp(beta x) normalised over the last axis (TensorFlow Lite, SOFTMAX).

    `dtype` is that of the output where it is not the input's: int8 gives int16, too.
    """

    beta: float = 1.0
    dtype: DType | None = None

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's shape."""
        x = only(inputs)
        return (TensorType(self.dtype or x.dtype, x.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """float32 in steps of float32; quanta in fixed point, as the specification scales them."""
        x, output = inputs[0], signature.output
        assert x is not None
        if output.dtype is DType.FLOAT32:
            return (_real_softmax(x, self.beta),)
        scale = signature.input(0).quant.scale
        if signature.input(0).dtype is DType.INT16:
            quanta = softmax_words(x, difference_multiplier(scale, self.beta))
            return (quanta.astype(output.dtype.numpy),)
        factor = input_multiplier(scale, self.beta)
        quanta = softmax_quanta(x, factor, output.dtype.value.bits)
        return ((quanta + output.dtype.range[0]).astype(output.dtype.numpy),)


def _real_softmax(x: Array, beta: float) -> Array:
    """Sums run from left to right."""
    exps = float_math.exp((x - x.max(axis=-1, keepdims=True)) * np.float32(beta))
    return exps / np.cumsum(exps, axis=-1, dtype=np.float32)[..., -1:]


@dataclass(frozen=True, slots=True)
class Clamp(Op):
    """A fused activation that stands alone: max(low, min(x, high)) (RELU and its kin)."""

    activation: Activation = Activation.RELU

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type."""
        x = only(inputs)
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Requantised to the output's scale where it differs, then clamped."""
        x, output = inputs[0], signature.output
        assert x is not None
        if output.dtype is DType.FLOAT32:
            low, high = np.float32(self.activation.value[0]), np.float32(self.activation.value[1])
            return (np.where(x < low, low, np.where(x > high, high, x)),)
        return finish(rescaled(signature, x), self.activation, output)
