"""Activation functions of one element: logistic, tanh, leaky relu, elu, hard swish, gelu, erf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.graph.op import Signature
from smidgen.ops.activation.hard_swish import hard_swish_quanta
from smidgen.ops.activation.sigmoid import logistic_bytes, logistic_words, tanh_bytes, tanh_words
from smidgen.ops.support import float_math
from smidgen.ops.support.unary import Unary, centred


@dataclass(frozen=True, slots=True)
class Logistic(Unary):
    """1 / (1 + e**-x) (TensorFlow Lite, LOGISTIC)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.logistic(x)

    def quanta(self, signature: Signature, x: Array) -> Array:
        """Int8 in fixed point (scale 1/256 from -128), int16 by interpolation (scale 1/32768)."""
        source = signature.input(0)
        rule = logistic_words if source.dtype is DType.INT16 else logistic_bytes
        return rule(centred(x, source), source.quant.scale)


@dataclass(frozen=True, slots=True)
class Tanh(Unary):
    """The hyperbolic tangent (TensorFlow Lite, TANH)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.tanh(x)

    def quanta(self, signature: Signature, x: Array) -> Array:
        """Int8 in fixed point (scale 1/128), int16 by interpolation (scale 1/32768)."""
        source = signature.input(0)
        rule = tanh_words if source.dtype is DType.INT16 else tanh_bytes
        return rule(centred(x, source), source.quant.scale)


@dataclass(frozen=True, slots=True)
class LeakyRelu(Unary):
    """x where it is positive, else alpha x (TensorFlow Lite, LEAKY_RELU)."""

    alpha: float

    def real(self, x: Array) -> Array:
        """In float32."""
        with np.errstate(all="ignore"):
            return np.where(x > 0, x, x * np.float32(self.alpha))

    def quanta(self, signature: Signature, x: Array) -> Array:
        """A multiplier for each side of zero."""
        value = centred(x, signature.input(0))
        same, sloped = leaky_relu_multipliers(signature, self.alpha)
        above = multiply(value, same.mantissa, same.shift)
        below = multiply(value, sloped.mantissa, sloped.shift)
        return np.where(value >= 0, above, below) + signature.output.quant.zero_point


def leaky_relu_multipliers(signature: Signature, alpha: float) -> tuple[Multiplier, Multiplier]:
    """For positive and for negative inputs, in double precision (leaky_relu_common.cc)."""
    scale, output_scale = signature.input(0).quant.scale, signature.output.quant.scale
    return (
        quantize_multiplier(scale / output_scale),
        quantize_multiplier(scale * alpha / output_scale),
    )


@dataclass(frozen=True, slots=True)
class Elu(Unary):
    """x where it is positive, else e**x - 1 (TensorFlow Lite, ELU)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        with np.errstate(all="ignore"):
            return np.where(x < 0, float_math.exp(x) - np.float32(1), x)


@dataclass(frozen=True, slots=True)
class HardSwish(Unary):
    """x * min(6, max(0, x + 3)) / 6 (TensorFlow Lite, HARD_SWISH)."""

    def real(self, x: Array) -> Array:
        """In float32, each step rounded."""
        with np.errstate(all="ignore"):
            gate = np.minimum(np.float32(6), np.maximum(np.float32(0), x + np.float32(3)))
            return x * gate / np.float32(6)

    def quanta(self, signature: Signature, x: Array) -> Array:
        """int8 in 16-bit fixed point; int16, which Micro has not, between every 128th value."""
        if signature.input(0).dtype is DType.INT16:
            return Unary.quanta(self, signature, x)
        output = signature.output.quant
        value = centred(x, signature.input(0))
        return hard_swish_quanta(value, signature.input(0).quant.scale, output.scale) + (
            output.zero_point
        )


@dataclass(frozen=True, slots=True)
class Gelu(Unary):
    """x times the normal distribution's integral up to x (TensorFlow Lite, GELU; not in Micro)."""

    approximate: bool = False

    def real(self, x: Array) -> Array:
        """In float32: by erf, or approximately by tanh."""
        half, one = np.float32(0.5), np.float32(1)
        with np.errstate(all="ignore"):
            if not self.approximate:
                return half * x * (one + float_math.erf(x * np.float32(0.707106769)))
            inner = x + np.float32(0.044715) * x * x * x
            return half * x * (one + float_math.tanh(np.float32(0.797884583) * inner))


@dataclass(frozen=True, slots=True)
class Erf(Unary):
    """The error function, of which a GELU in pieces is made (not in TensorFlow Lite)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.erf(x)
