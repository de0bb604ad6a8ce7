"""Requantisation of accumulators: the multipliers of a layer, and their reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import multiply, multiply_int64, quantize_multiplier, wrap32
from smidgen.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Multipliers:
    """One mantissa and shift for each output channel."""

    mantissas: Array
    shifts: Array

    @staticmethod
    def of(reals: list[float]) -> Multipliers:
        """The quantised multipliers of the real factors `reals`."""
        pairs = [quantize_multiplier(real) for real in reals]
        return Multipliers(
            np.array([pair.mantissa for pair in pairs], np.int64),
            np.array([pair.shift for pair in pairs], np.int64),
        )


def per_channel(x: Tensor, weights: Tensor, output: Tensor, channels: int) -> Multipliers:
    """Multipliers of a convolution, one a channel (PopulateConvolutionQuantizationParams)."""
    scales = weights.quant.scales
    spread = scales if len(scales) > 1 else scales * channels
    return Multipliers.of([x.quant.scale * scale / output.quant.scale for scale in spread])


def per_tensor(x: Tensor, weights: Tensor, output: Tensor) -> Multipliers:
    """The multiplier of a dense layer or a matrix product; scales multiply as doubles."""
    return Multipliers.of([x.quant.scale * weights.quant.scale / output.quant.scale])


def requantize(accumulator: Array, multipliers: Multipliers, output: Tensor, wide: bool) -> Array:
    """Quanta of `output` for accumulators [..., channels], before the clamp.

    `wide` accumulators are int64 (16x8 with a 64-bit bias); else they wrap at 32 bits.
    """
    zero_point = output.quant.zero_point
    if wide:
        return multiply_int64(accumulator, multipliers.mantissas, multipliers.shifts) + zero_point
    scaled = multiply(wrap32(accumulator), multipliers.mantissas, multipliers.shifts)
    return scaled + zero_point


def is_wide(x: Tensor, bias: Tensor | None) -> bool:
    """Whether Micro accumulates this layer in 64 bits: 16-bit input, and no 32-bit bias."""
    return x.dtype is DType.INT16 and (bias is None or bias.dtype is DType.INT64)


def accumulator_bound(weights: Array, bias: Array | None, input_range: int) -> int:
    """The largest magnitude that an accumulator of weights [out, ...] can reach.

    `input_range` bounds |x - zero_point|. Kernels whose shortcuts need headroom ask for this.
    """
    sums = np.abs(weights.astype(np.int64)).reshape(weights.shape[0], -1).sum(axis=1) * input_range
    if bias is not None:
        sums = sums + np.abs(bias.astype(np.int64))
    return int(sums.max(initial=0))


def centred(values: Array, tensor: Tensor) -> Array:
    """Float64 values of an operand with its zero point taken off; float tensors as they are.

    float64 is exact for every product sum of 8- and 16-bit quanta, and fast.
    """
    if tensor.quantization is None or tensor.dtype is DType.FLOAT32:
        return values.astype(np.float64)
    quant = tensor.quant
    if not any(quant.zero_points):
        return values.astype(np.float64)
    return values.astype(np.float64) - quant.spread(quant.zero_points, values.ndim)


def real(values: Array, tensor: Tensor) -> Array:
    """Float64 real values of an operand: quanta are dequantised, floats stay as they are."""
    if tensor.quantization is None or tensor.dtype is DType.FLOAT32:
        return values.astype(np.float64)
    quant = tensor.quant
    return centred(values, tensor) * quant.spread(quant.scales, values.ndim)


def exact_int(values: Array) -> Array:
    """Float64 whole numbers below 2**53 as int64."""
    assert values.size == 0 or math.fabs(float(np.abs(values).max())) < 2.0**53
    return values.astype(np.int64)
