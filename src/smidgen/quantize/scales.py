"""Scales and zero points by the TensorFlow Lite 8-bit quantisation specification."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import round_half_away
from smidgen.graph.tensor import Quantization

WEIGHT_MAX = 127
"""Weights use [-127, 127], so that they are symmetric."""
BIAS_MAX = 1 << 30
"""Half of what an int32 holds: the other half is for the sum of products."""
WIDE_BIAS_MAX = 1 << 40
"""The same for int64, whose sums must survive a 16-bit multiplier."""
IDLE_SCALE = 1.0
"""The scale of an activation that was always zero."""


def single(scale: float) -> float:
    """`scale` as the float32 that model files hold."""
    return float(np.float32(scale))


def activation_quantization(low: float, high: float, dtype: DType = DType.INT8) -> Quantization:
    """Asymmetric, per tensor: the range, widened to include zero, over all quanta.

    The zero point is rounded from that end of the range where it errs less, as TensorFlow Lite's
    quantisation utilities do.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    first, last = dtype.range
    scale = single((high - low) / (last - first))
    if not (np.isfinite(scale) and scale >= float(np.finfo(np.float32).tiny)):
        return Quantization((IDLE_SCALE,), (0,))
    from_low, from_high = first - low / scale, last - high / scale
    error_low = abs(first) + abs(low / scale)
    error_high = abs(last) + abs(high / scale)
    exact = from_low if error_low < error_high else from_high
    zero_point = int(np.clip(round_half_away(np.asarray(exact)), first, last))
    return Quantization((scale,), (zero_point,))


def symmetric_quantization(low: float, high: float, dtype: DType) -> Quantization:
    """Zero point 0: the larger magnitude at the largest quantum (16x8 activations are such)."""
    scale = single(max(-low, high) / dtype.range[1])
    if not (np.isfinite(scale) and scale >= float(np.finfo(np.float32).tiny)):
        scale = IDLE_SCALE
    return Quantization((scale,), (0,))


def power_of_two_quantization(low: float, high: float) -> Quantization:
    """int16 quanta of the finest power of two, at most 1, that holds the range (an LSTM's cell)."""
    largest = max(-low, high)
    if not (np.isfinite(largest) and largest > 0.0):
        return Quantization((2.0**-15,), (0,))
    bits = math.ceil(math.log2(largest / 32767.0))
    return Quantization((2.0 ** min(max(bits, -15), 0),), (0,))


def weight_scales(
    weights: Array,
    axis: int | None,
    bias: Array | None,
    input_scale: float,
    output_scale: float,
    bias_max: int = BIAS_MAX,
) -> tuple[float, ...]:
    """Symmetric scales of a layer's weights, one for each slice along `axis`, all above zero.

    max |w| / 127, but never so fine that the bias, whose scale is that of input times weight, would
    leave `bias_max`; slices of zeros take the scale that resolves the bias to 1/256 output quantum.
    """
    largest = np.abs(weights.astype(np.float64)).max(axis=_others(weights.ndim, axis)).reshape(-1)
    offset = np.zeros(len(largest)) if bias is None else np.abs(bias.astype(np.float64))
    if axis is None:
        offset = offset.max(initial=0.0, keepdims=True)
    idle = output_scale / (256 * input_scale)
    wanted = np.where(largest > 0.0, largest / WEIGHT_MAX, idle)
    floors = np.maximum(offset / (bias_max * input_scale), float(np.finfo(np.float32).tiny))
    return tuple(single(scale) for scale in np.maximum(wanted, floors))


def _others(rank: int, axis: int | None) -> tuple[int, ...]:
    return tuple(index for index in range(rank) if index != axis)


def quantized(
    values: Array, quantization: Quantization, dtype: DType, low: int, high: int
) -> Array:
    """round(values / scale) + zero point, ties away from zero, saturated to [low, high]."""
    scales = quantization.spread(quantization.scales, values.ndim).astype(np.float64)
    offsets = quantization.spread(quantization.zero_points, values.ndim)
    quanta = round_half_away(values.astype(np.float64) / scales) + offsets
    return np.asarray(np.clip(quanta, low, high), dtype.numpy).reshape(values.shape)


def dequantized(values: Array, quantization: Quantization) -> Array:
    """Scale * (values - zero point) in float64."""
    scales = quantization.spread(quantization.scales, values.ndim).astype(np.float64)
    offsets = quantization.spread(quantization.zero_points, values.ndim)
    return np.asarray(scales * (values.astype(np.float64) - offsets)).reshape(values.shape)
