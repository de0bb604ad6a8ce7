"""Leaky relu with a slope for each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.broadcast import broadcast_shape
from smidgen.ops.support.operands import required
from smidgen.ops.support.unary import centred


@dataclass(frozen=True, slots=True)
class Prelu(Op):
    """x where it is positive, else alpha x; alpha (input 1) broadcasts (TensorFlow Lite, PRELU)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape in the dtype of x; int16 goes with an int8 alpha."""
        x, alpha = required(inputs, 2)
        return (TensorType(x.dtype, broadcast_shape(x, alpha)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """A multiplier for each side of zero."""
        x, alpha, output = inputs[0], inputs[1], signature.output
        assert x is not None and alpha is not None
        if output.dtype is DType.FLOAT32:
            with np.errstate(all="ignore"):
                return (np.where(x >= 0, x, x * alpha),)
        value = centred(x, signature.input(0))
        product = value * centred(alpha, signature.input(1))
        same, sloped = prelu_multipliers(signature)
        above = multiply(value, same.mantissa, same.shift)
        below = multiply(product, sloped.mantissa, sloped.shift)
        quanta = np.where(value >= 0, above, below) + output.quant.zero_point
        return (np.clip(quanta, *output.dtype.range).astype(output.dtype.numpy),)


def prelu_multipliers(signature: Signature) -> tuple[Multiplier, Multiplier]:
    """For positive and for negative inputs (prelu_common.cc)."""
    scale, output_scale = signature.input(0).quant.scale, signature.output.quant.scale
    return (
        quantize_multiplier(scale / output_scale),
        quantize_multiplier(scale * signature.input(1).quant.scale / output_scale),
    )
