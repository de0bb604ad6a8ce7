"""Functions of one element: exponential, logarithm, roots, rounding, angles, sign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.graph.op import Signature
from smidgen.ops.support import float_math
from smidgen.ops.support.inverse_root import inverse_root
from smidgen.ops.support.unary import Unary, centred

RSQRT_SHIFT = 20
"""Bits that a reciprocal root is kept finer by (elementwise.cc, kShift)."""


@dataclass(frozen=True, slots=True)
class Exp(Unary):
    """e**x (TensorFlow Lite, EXP)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.exp(x)


@dataclass(frozen=True, slots=True)
class Log(Unary):
    """The natural logarithm (TensorFlow Lite, LOG)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.log(x)


@dataclass(frozen=True, slots=True)
class Sqrt(Unary):
    """The square root (TensorFlow Lite, SQRT)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        with np.errstate(all="ignore"):
            return np.sqrt(x)


@dataclass(frozen=True, slots=True)
class Rsqrt(Unary):
    """1 / sqrt(x) (TensorFlow Lite, RSQRT)."""

    def real(self, x: Array) -> Array:
        """In float32, both steps rounded."""
        with np.errstate(all="ignore"):
            return np.float32(1) / np.sqrt(x)

    def quanta(self, signature: Signature, x: Array) -> Array:
        """By Newton steps; 0 gives the largest quantum, and so do negatives, where Micro stops."""
        value = centred(x, signature.input(0))
        mantissa, shift = inverse_root(np.maximum(value, 1))
        fine = multiply(np.ones_like(value), mantissa, shift + RSQRT_SHIFT)
        factor = rsqrt_multiplier(signature)
        scaled = multiply(fine, factor.mantissa, factor.shift - RSQRT_SHIFT)
        quanta = scaled + signature.output.quant.zero_point
        return np.where(value > 0, quanta, signature.output.dtype.range[1])


def rsqrt_multiplier(signature: Signature) -> Multiplier:
    """1 / (sqrt(input scale) * output scale)."""
    scale = signature.input(0).quant.scale
    return quantize_multiplier(1.0 / (np.sqrt(scale) * signature.output.quant.scale))


@dataclass(frozen=True, slots=True)
class Square(Unary):
    """x * x (TensorFlow Lite, SQUARE)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        with np.errstate(all="ignore"):
            return x * x


@dataclass(frozen=True, slots=True)
class Abs(Unary):
    """The magnitude (TensorFlow Lite, ABS)."""

    def real(self, x: Array) -> Array:
        """Exact."""
        return np.abs(x)

    def quanta(self, signature: Signature, x: Array) -> Array:
        """Rescaled to the output."""
        factor = abs_multiplier(signature)
        magnitude = np.abs(centred(x, signature.input(0)))
        scaled = multiply(magnitude, factor.mantissa, factor.shift)
        return scaled + signature.output.quant.zero_point


def abs_multiplier(signature: Signature) -> Multiplier:
    """Input scale / output scale."""
    return quantize_multiplier(signature.input(0).quant.scale / signature.output.quant.scale)


@dataclass(frozen=True, slots=True)
class Neg(Unary):
    """-x (TensorFlow Lite, NEG)."""

    def real(self, x: Array) -> Array:
        """Exact."""
        return -x


@dataclass(frozen=True, slots=True)
class Floor(Unary):
    """The largest whole number that is not above x (TensorFlow Lite, FLOOR)."""

    def real(self, x: Array) -> Array:
        """Exact."""
        return np.floor(x)


@dataclass(frozen=True, slots=True)
class Ceil(Unary):
    """The smallest whole number that is not below x (TensorFlow Lite, CEIL)."""

    def real(self, x: Array) -> Array:
        """Exact."""
        return np.ceil(x)


@dataclass(frozen=True, slots=True)
class Round(Unary):
    """The nearest whole number, halves to the even one (TensorFlow Lite, ROUND)."""

    def real(self, x: Array) -> Array:
        """Exact."""
        return float_math.round_to_even(x)


@dataclass(frozen=True, slots=True)
class Sin(Unary):
    """The sine of radians (TensorFlow Lite, SIN)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.sin(x)


@dataclass(frozen=True, slots=True)
class Cos(Unary):
    """The cosine of radians (TensorFlow Lite, COS)."""

    def real(self, x: Array) -> Array:
        """In float32."""
        return float_math.cos(x)
