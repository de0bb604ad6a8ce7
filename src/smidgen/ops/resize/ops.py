"""ResizeNearest and ResizeBilinear, and their reference (TensorFlow Lite, reference/resize_*.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import round_half_away
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.operands import only

ONE = 1 << 10
"""The whole of a fraction in integer bilinear interpolation."""


@dataclass(frozen=True, slots=True)
class _Resize(Op):
    """What both resizings share: the new rows and columns, and how old and new grids line up."""

    size: tuple[int, int]
    align_corners: bool = False
    half_pixel_centers: bool = False

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, *size, C]."""
        x = only(inputs)
        if len(x.shape) != 4 or not x.elements or min(self.size) < 1:
            raise GraphError(f"input {x.name!r}", f"{x.shape} cannot be resized to {self.size}")
        return (TensorType(x.dtype, (x.shape[0], *self.size, x.shape[3])),)

    def aligns(self, size: int) -> bool:
        """Whether the corners of an axis of `size` outputs lie on those of the input."""
        return self.align_corners and size > 1


@dataclass(frozen=True, slots=True)
class ResizeNearest(_Resize):
    """The nearest pixel (RESIZE_NEAREST_NEIGHBOR)."""

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Rows and columns picked."""
        del signature
        x = inputs[0]
        assert x is not None
        rows, cols = (self.sources(axis, x.shape[axis + 1]) for axis in range(2))
        return (np.ascontiguousarray(x[:, rows][:, :, cols]),)

    def sources(self, axis: int, extent: int) -> Array:
        """The input index of each output index of an axis; computed in float32 as Micro does."""
        size = self.size[axis]
        scale = np.float32(extent) / np.float32(size)
        if self.aligns(size):
            scale = np.float32(extent - 1) / np.float32(size - 1)
        offset = np.float32(0.5 if self.half_pixel_centers else 0.0)
        place = (np.arange(size, dtype=np.float32) + offset) * scale
        nearest = round_half_away(place) if self.align_corners else np.floor(place)
        return np.clip(nearest.astype(np.int64), 0, extent - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """For each output index of an axis: its two neighbours, and how far it is from the first."""

    lower: Array
    upper: Array
    fraction: Array


@dataclass(frozen=True, slots=True)
class ResizeBilinear(_Resize):
    """Interpolated linearly along both axes (RESIZE_BILINEAR)."""

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Integers in fixed point, fractions in units of 1/1024; floats in float32."""
        x = inputs[0]
        assert x is not None
        if signature.output.dtype is DType.FLOAT32:
            return (self._float(x),)
        rows, cols = (self.integer_taps(axis, x.shape[axis + 1]) for axis in range(2))
        total = _weighted(x.astype(np.int64), rows, cols, ONE)
        half = np.where(total > 0, ONE * ONE // 2, -(ONE * ONE // 2))
        quotient = np.abs(total + half) // (ONE * ONE) * np.sign(total + half)
        return (quotient.astype(signature.output.dtype.numpy),)

    def _float(self, x: Array) -> Array:
        rows, cols = (self.float_taps(axis, x.shape[axis + 1]) for axis in range(2))
        return _weighted(x, rows, cols, np.float32(1.0)).astype(np.float32)

    def integer_taps(self, axis: int, extent: int) -> Taps:
        """Neighbours, and fractions in units of 1/1024 (ComputeInterpolationValuesInteger).

        Where rounding of the scale carries past the end, Micro reads beyond the image; the last
        pixel stands in here.
        """
        size = self.size[axis]
        scale = (ONE * extent + size // 2) // size
        if self.aligns(size):
            scale = (ONE * (extent - 1) + (size - 1) // 2) // (size - 1)
        place = np.arange(size, dtype=np.int64) * scale
        if self.half_pixel_centers:
            place = place + scale // 2 - ONE // 2
        lower = np.clip(place // ONE, 0, extent - 1)
        upper = np.clip(-(-place // ONE), 0, extent - 1)
        return Taps(lower, upper, place - lower * ONE)

    def float_taps(self, axis: int, extent: int) -> Taps:
        """Neighbours and fractions in float32 (ComputeInterpolationValues)."""
        size = self.size[axis]
        scale = np.float32(extent) / np.float32(size)
        if self.aligns(size):
            scale = np.float32(extent - 1) / np.float32(size - 1)
        place = np.arange(size, dtype=np.float32) * scale
        if self.half_pixel_centers:
            half = np.float32(0.5)
            place = (np.arange(size, dtype=np.float32) + half) * scale - half
        lower = np.clip(np.floor(place).astype(np.int64), 0, extent - 1)
        upper = np.clip(np.ceil(place).astype(np.int64), 0, extent - 1)
        return Taps(lower, upper, place - lower.astype(np.float32))


def _weighted(x: Array, rows: Taps, cols: Taps, one: int | np.float32) -> Array:
    """The four neighbours, weighted and added in Micro's order."""
    down = rows.fraction[:, None, None]
    right = cols.fraction[None, :, None]
    total = x[:, rows.lower][:, :, cols.lower] * (one - down) * (one - right)
    total = total + x[:, rows.upper][:, :, cols.lower] * down * (one - right)
    total = total + x[:, rows.lower][:, :, cols.upper] * (one - down) * right
    return np.asarray(total + x[:, rows.upper][:, :, cols.upper] * down * right)
