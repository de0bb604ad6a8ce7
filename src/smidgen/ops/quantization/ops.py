"""Quantise and dequantise, and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import multiply, quantize_multiplier, round_half_away
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType


@dataclass(frozen=True, slots=True)
class Quantize(Op):
    """Real numbers to quanta, or quanta to another scale or type (TensorFlow Lite, QUANTIZE)."""

    dtype: DType

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's shape in the new dtype."""
        assert inputs[0] is not None
        return (TensorType(self.dtype, inputs[0].shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """round(x / scale) + zero point, saturated; integers through a fixed-point multiplier."""
        x, source, output = inputs[0], signature.input(0), signature.output
        assert x is not None
        if source.dtype is DType.FLOAT32:
            scaled = round_half_away(x / np.float32(output.quant.scale)).astype(np.float64)
        else:
            factor = quantize_multiplier(source.quant.scale / output.quant.scale)
            centred = x.astype(np.int64) - source.quant.zero_point
            scaled = multiply(centred, factor.mantissa, factor.shift)
        quanta = np.clip(scaled + output.quant.zero_point, *output.dtype.range)
        return (quanta.astype(output.dtype.numpy),)


@dataclass(frozen=True, slots=True)
class Dequantize(Op):
    """Quanta to real numbers in float32 (TensorFlow Lite, DEQUANTIZE)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's shape in float32."""
        assert inputs[0] is not None
        return (TensorType(DType.FLOAT32, inputs[0].shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Scale * (x - zero point), each product rounded to float32."""
        x, quant = inputs[0], signature.input(0).quant
        assert x is not None
        scales = quant.spread(quant.scales, x.ndim).astype(np.float32)
        centred = x.astype(np.int64) - quant.spread(quant.zero_points, x.ndim)
        return (scales * centred.astype(np.float32),)
