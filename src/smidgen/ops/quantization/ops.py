"""Quantise, dequantise and cast, and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.float_math import round_half_away
from smidgen.ops.support.operands import only
from smidgen.ops.support.rescale import rescaled


@dataclass(frozen=True, slots=True)
class Quantize(Op):
    """Real numbers to quanta, or quanta to another scale or type (TensorFlow Lite, QUANTIZE)."""

    dtype: DType

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's shape in the new dtype."""
        x = only(inputs)
        return (TensorType(self.dtype, x.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """round(x / scale) + zero point, saturated; integers through a fixed-point multiplier."""
        x, output = inputs[0], signature.output
        assert x is not None
        if signature.input(0).dtype is not DType.FLOAT32:
            return (
                np.clip(rescaled(signature, x), *output.dtype.range).astype(output.dtype.numpy),
            )
        return (quantized_real(x, output),)


def quantized_real(x: Array, output: Tensor) -> Array:
    """Quanta of float32 numbers: divided in float32, halves away from zero; NaN is zero."""
    with np.errstate(all="ignore"):
        nearest = round_half_away(x / np.float32(output.quant.scale)).astype(np.float64)
    quanta = np.nan_to_num(nearest, nan=0.0) + output.quant.zero_point
    return np.clip(quanta, *output.dtype.range).astype(output.dtype.numpy)


@dataclass(frozen=True, slots=True)
class Dequantize(Op):
    """Quanta to real numbers in float32 (TensorFlow Lite, DEQUANTIZE)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's shape in float32."""
        x = only(inputs)
        return (TensorType(DType.FLOAT32, x.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Scale * (x - zero point), each product rounded to float32."""
        x, quant = inputs[0], signature.input(0).quant
        assert x is not None
        scales = quant.spread(quant.scales, x.ndim).astype(np.float32)
        centred = x.astype(np.int64) - quant.spread(quant.zero_points, x.ndim)
        return (scales * centred.astype(np.float32),)


@dataclass(frozen=True, slots=True)
class Cast(Op):
    """Numbers as another type, without regard to scales (TensorFlow Lite, CAST)."""

    dtype: DType

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's shape in the new dtype."""
        x = only(inputs)
        return (TensorType(self.dtype, x.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Integers wrap. Floats lose their fraction and saturate, NaN is 0: C leaves that open."""
        del signature
        x = inputs[0]
        assert x is not None
        if x.dtype != np.float32 or not self.dtype.is_integer:
            return (x.astype(self.dtype.numpy),)
        return (_truncated(x, self.dtype),)


def _truncated(x: Array, dtype: DType) -> Array:
    low, high = dtype.range
    whole = np.trunc(np.nan_to_num(x, nan=0.0).astype(np.float64))
    inside = np.where((whole > low) & (whole < high), whole, 0).astype(dtype.numpy)
    info = np.array([low, high], dtype.numpy)
    return np.where(whole <= low, info[0], np.where(whole >= high, info[1], inside))
