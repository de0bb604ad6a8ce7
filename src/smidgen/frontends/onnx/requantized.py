"""Quanta of constants found again in the real numbers that lowering made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.quantize.scales import WEIGHT_MAX, quantized, single

_HIGHEST_BIAS = float(1 << 29)
_TOLERANCE = 0.02
"""How far, in units, a float32 weight may be from a whole multiple of its unit."""


def constant_quanta(values: Array) -> tuple[Array, Quantization] | None:
    """Int8 quanta of a constant operand: one number exactly, several only where no step is lost."""
    largest = float(np.abs(values).max(initial=0.0))
    if not np.isfinite(largest):
        return None
    if np.all(values == values.reshape(-1)[:1]):
        scale = largest / WEIGHT_MAX or 1.0
        quant = Quantization((single(scale),), (0,))
        return quantized(values, quant, DType.INT8, -WEIGHT_MAX, WEIGHT_MAX), quant
    return None


def layer_constants(
    constants: Sequence[Tensor],
    axis: int,
    units: tuple[Array, Array] | None,
    source: Quantization,
) -> list[Tensor] | None:
    """Weights as int8 and bias as int32, or None where the weights were never quanta.

    `units` are the weights as they were lowered and their unit for each output, which lies along
    `axis`; folding may have scaled each output since.
    """
    weights = constants[0].values.astype(np.float64)
    bias = constants[1].values.astype(np.float64) if len(constants) > 1 else None
    if not all(np.isfinite(tensor.values).all() for tensor in constants):
        return None
    rows = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
    found = _units(rows, axis, units, bias, source.scale)
    if found is None:
        return None
    whole = rows / found[:, np.newaxis]
    quanta = np.rint(whole)
    if np.abs(whole - quanta).max(initial=0.0) > _TOLERANCE and rows.shape[1] > 1:
        return None
    zero_point = _zero_point(quanta)
    if zero_point is None:
        return None
    return _tensors(constants, axis, quanta + zero_point, zero_point, found, source)


def _units(
    rows: Array,
    axis: int,
    units: tuple[Array, Array] | None,
    bias: Array | None,
    source_scale: float,
) -> Array | None:
    """A positive unit for each output."""
    if units is not None:
        before = np.moveaxis(units[0], axis, 0).reshape(units[0].shape[axis], -1)
        if before.shape != rows.shape:
            return None
        squares = (before * before).sum(axis=1)
        ratio = (rows * before).sum(axis=1) / np.where(squares == 0, 1.0, squares)
        scaled = np.abs(units[1] * np.where(squares == 0, 1.0, ratio))
        return np.where(scaled > 0, scaled, units[1])
    if rows.shape[1] != 1:
        return None
    # One weight an output can be any number; its unit must be coarse enough for the bias.
    largest = np.abs(rows[:, 0]) / WEIGHT_MAX
    shift = np.zeros(len(rows)) if bias is None else np.abs(bias)
    least = shift / (source_scale * _HIGHEST_BIAS)
    unit = np.maximum(largest, least)
    return np.where(unit > 0, unit, 1.0)


def _zero_point(quanta: Array) -> int | None:
    """What brings all of `quanta` into int8: 0 where they are there already."""
    low, high = int(quanta.min(initial=0)), int(quanta.max(initial=0))
    if low >= -128 and high <= 127:
        return 0
    return -128 - low if high - low <= 255 else None


def _tensors(
    constants: Sequence[Tensor],
    axis: int,
    quanta: Array,
    zero_point: int,
    units: Array,
    source: Quantization,
) -> list[Tensor]:
    shape = constants[0].shape
    moved = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    stored = np.ascontiguousarray(np.moveaxis(quanta.reshape(moved), 0, axis).astype(np.int8))
    scales = tuple(single(unit) for unit in units)
    even = len(set(scales)) == 1
    quant = Quantization(
        scales[:1] if even else scales,
        (zero_point,) * (1 if even else len(scales)),
        None if even else axis,
    )
    made = [Tensor(constants[0].name, DType.INT8, shape, quant, stored)]
    if len(constants) > 1:
        made.append(_bias(constants[1], units, source, even))
    return made


def _bias(bias: Tensor, units: Array, source: Quantization, even: bool) -> Tensor:
    steps = units * source.scale
    limit = (1 << 31) - 1
    quanta = np.clip(np.rint(bias.values.astype(np.float64) / steps), -limit, limit)
    scales = tuple(single(step) for step in steps)
    quant = Quantization(
        scales[:1] if even else scales, (0,) * (1 if even else len(scales)), None if even else 0
    )
    return Tensor(bias.name, DType.INT32, bias.shape, quant, quanta.astype(np.int32))
