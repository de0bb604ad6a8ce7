"""Subtraction, multiplication, division, squared difference and their references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import (
    Multiplier,
    doubling_high_mul,
    multiply,
    quantize_multiplier,
    rounding_shift_right,
)
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.activation.softmax import SUM_INTEGER_BITS, reciprocal
from smidgen.ops.elementwise.ops import AddScaling
from smidgen.ops.elementwise.plain import (
    arithmetic_type,
    finish_plain,
    is_quantized,
    truncated_quotient,
    widened,
)
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.unary import centred


def pair(inputs: Sequence[Array | None]) -> tuple[Array, Array]:
    """The values of both operands."""
    a, b = inputs[0], inputs[1]
    assert a is not None and b is not None
    return a, b


@dataclass(frozen=True, slots=True)
class Sub(Op):
    """Difference of two tensors with broadcasting (TensorFlow Lite, SUB)."""

    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (arithmetic_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As Add, with the second operand taken away."""
        (a, b), output = pair(inputs), signature.output
        if not is_quantized(output):
            with np.errstate(all="ignore"):
                difference = widened(a) - widened(b)
            return finish_plain(difference, self.activation, output)
        scaling = AddScaling.of(signature)
        raw = scaling.operand(a, signature.input(0), scaling.left) - scaling.operand(
            b, signature.input(1), scaling.right
        )
        scaled = multiply(raw, scaling.output.mantissa, scaling.output.shift)
        return finish(scaled + output.quant.zero_point, self.activation, output)


@dataclass(frozen=True, slots=True)
class Mul(Op):
    """Product of two tensors with broadcasting (TensorFlow Lite, MUL)."""

    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (arithmetic_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The product of the centred quanta, rescaled to the output, clamped."""
        (a, b), output = pair(inputs), signature.output
        if not is_quantized(output):
            with np.errstate(all="ignore"):
                product = widened(a) * widened(b)
            return finish_plain(product, self.activation, output)
        factor = mul_multiplier(signature)
        product = centred(a, signature.input(0)) * centred(b, signature.input(1))
        scaled = multiply(product, factor.mantissa, factor.shift)
        return finish(scaled + output.quant.zero_point, self.activation, output)


def mul_multiplier(signature: Signature) -> Multiplier:
    """The factor from a product of quanta to output quanta (mul_common.cc)."""
    scales = [signature.input(index).quant.scale for index in range(2)]
    return quantize_multiplier(scales[0] * scales[1] / signature.output.quant.scale)


@dataclass(frozen=True, slots=True)
class Div(Op):
    """Quotient of two tensors with broadcasting (TensorFlow Lite, DIV)."""

    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (arithmetic_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """int32 truncates; int8 multiplies by a fixed-point reciprocal; x / 0 is 0 for integers."""
        (a, b), output = pair(inputs), signature.output
        if output.dtype is DType.FLOAT32:
            with np.errstate(all="ignore"):
                return finish_plain(a / b, self.activation, output)
        if not is_quantized(output):
            quotient = truncated_quotient(widened(a), widened(b))
            return finish_plain(quotient, self.activation, output)
        quotient = quantized_quotient(
            centred(a, signature.input(0)),
            centred(b, signature.input(1)),
            div_multiplier(signature),
        )
        return finish(quotient + output.quant.zero_point, self.activation, output)


def div_multiplier(signature: Signature) -> Multiplier:
    """The factor from a quotient of quanta to output quanta, in double precision (div.cc)."""
    a, b = (signature.input(index).quant.scale for index in range(2))
    return quantize_multiplier(a / (b * signature.output.quant.scale))


def quantized_quotient(a: Array, b: Array, factor: Multiplier) -> Array:
    """The quotient a / b times `factor` for |a|, |b| < 2**31 (div.h, DivElementwise).

    Where all bits would be shifted out the quotient is 0; Micro's shift by more than 31 is
    undefined there. b = 0 gives 0, too.
    """
    numerator = np.where(b < 0, -a, a)
    inverse, integer_bits = reciprocal(np.maximum(np.abs(b), 1))
    headroom = 31 - _bit_length(np.where(numerator < 0, -numerator - 1, numerator))
    unscaled = doubling_high_mul(numerator << headroom, inverse)
    scaled = doubling_high_mul(unscaled, factor.mantissa)
    shift = headroom + integer_bits + 31 - SUM_INTEGER_BITS - factor.shift
    kept = rounding_shift_right(scaled << np.maximum(-shift, 0), np.clip(shift, 0, 31))
    return np.where((shift > 31) | (b == 0), 0, kept)


def _bit_length(x: Array) -> Array:
    """Bits of a non-negative number below 2**31."""
    return np.where(x == 0, 0, np.frexp(x.astype(np.float64))[1]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class SquaredDifference(Op):
    """(a - b) squared, with broadcasting (TensorFlow Lite, SQUARED_DIFFERENCE)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The broadcast shape of both inputs, which share a dtype."""
        return (arithmetic_type(inputs),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The difference on a common scale, squared, rescaled to the output."""
        (a, b), output = pair(inputs), signature.output
        if output.dtype is DType.FLOAT32:
            with np.errstate(all="ignore"):
                return ((a - b) * (a - b),)
        if not is_quantized(output):
            difference = widened(a) - widened(b)
            return finish_plain((difference & 0xFFFFFFFF) ** 2, Activation.NONE, output)
        scaling = squared_difference_scaling(signature)
        raw = scaling.operand(a, signature.input(0), scaling.left) - scaling.operand(
            b, signature.input(1), scaling.right
        )
        scaled = multiply(raw * raw, scaling.output.mantissa, scaling.output.shift)
        return finish(scaled + output.quant.zero_point, Activation.NONE, output)


def squared_difference_scaling(signature: Signature) -> AddScaling:
    """Both operands at twice the larger scale, finer by 2**shift (squared_difference.cc)."""
    shift = 0 if signature.output.dtype is DType.INT16 else 7
    scales = [signature.input(index).quant.scale for index in range(2)]
    common = 2.0 * max(scales)
    return AddScaling(
        shift,
        quantize_multiplier(scales[0] / common),
        quantize_multiplier(scales[1] / common),
        quantize_multiplier(common * common / ((1 << 2 * shift) * signature.output.quant.scale)),
    )
