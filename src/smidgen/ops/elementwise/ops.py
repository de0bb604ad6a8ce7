"""Addition and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.elementwise.plain import arithmetic_type, finish_plain, is_quantized, widened
from smidgen.ops.support.activation import Activation, finish


@dataclass(frozen=True, slots=True)
class Add(Op):
    """Sum of two tensors with broadcasting (TensorFlow Lite, ADD)."""

    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (arithmetic_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Both operands on a common fine scale, summed, rescaled to the output, clamped."""
        a, b, output = inputs[0], inputs[1], signature.output
        assert a is not None and b is not None
        if not is_quantized(output):
            with np.errstate(all="ignore"):
                return finish_plain(widened(a) + widened(b), self.activation, output)
        scaling = AddScaling.of(signature)
        total = scaling.operand(a, signature.input(0), scaling.left) + scaling.operand(
            b, signature.input(1), scaling.right
        )
        scaled = multiply(total, scaling.output.mantissa, scaling.output.shift)
        return finish(scaled + output.quant.zero_point, self.activation, output)


@dataclass(frozen=True, slots=True)
class AddScaling:
    """The fixed-point scaling of an addition (TensorFlow Lite, kernels/add.cc Prepare)."""

    shift: int
    left: Multiplier
    right: Multiplier
    output: Multiplier

    @staticmethod
    def of(signature: Signature) -> AddScaling:
        """The scaling that brings both inputs to twice the larger scale, finer by 2**shift."""
        shift = 15 if signature.output.dtype is DType.INT16 else 20
        scales = [signature.input(index).quant.scale for index in range(2)]
        common = 2.0 * max(scales)
        return AddScaling(
            shift,
            quantize_multiplier(scales[0] / common),
            quantize_multiplier(scales[1] / common),
            quantize_multiplier(common / ((1 << shift) * signature.output.quant.scale)),
        )

    def operand(self, values: Array, tensor: Tensor, factor: Multiplier) -> Array:
        """`values` of `tensor` on the common scale."""
        centred = values.astype(np.int64) - tensor.quant.zero_point
        return multiply(centred << self.shift, factor.mantissa, factor.shift)
