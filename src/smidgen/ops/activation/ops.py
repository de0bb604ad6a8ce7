"""The activation ops and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.activation.softmax import input_multiplier, softmax_quanta
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.rescale import rescaled


@dataclass(frozen=True, slots=True)
class Softmax(Op):
    """exp(beta x) normalised over the last axis (TensorFlow Lite, SOFTMAX)."""

    beta: float = 1.0

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type."""
        assert inputs[0] is not None
        return (inputs[0].type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Float in float64; int8 in fixed point, with output scale 1/256 and zero point -128."""
        x, output = inputs[0], signature.output
        assert x is not None
        if output.dtype is DType.FLOAT32:
            shifted = self.beta * (x.astype(np.float64) - x.max(axis=-1, keepdims=True))
            exps = np.exp(shifted)
            return ((exps / exps.sum(axis=-1, keepdims=True)).astype(np.float32),)
        factor = input_multiplier(signature.input(0).quant.scale, self.beta)
        quanta = softmax_quanta(x, factor, output.dtype.value.bits)
        return ((quanta + output.dtype.range[0]).astype(output.dtype.numpy),)


@dataclass(frozen=True, slots=True)
class Clamp(Op):
    """A fused activation that stands alone: max(low, min(x, high)) (RELU and its kin)."""

    activation: Activation = Activation.RELU

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type."""
        assert inputs[0] is not None
        return (inputs[0].type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Requantised to the output's scale where it differs, then clamped."""
        x, output = inputs[0], signature.output
        assert x is not None
        if output.dtype is DType.FLOAT32:
            low, high = np.float32(self.activation.value[0]), np.float32(self.activation.value[1])
            return (np.where(x < low, low, np.where(x > high, high, x)),)
        return finish(rescaled(signature, x), self.activation, output)
