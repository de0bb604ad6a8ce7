"""Sliding windows over NHWC tensors: padding, stride, dilation, and the patches they cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError


@dataclass(frozen=True, slots=True)
class Padding:
    """Rows and columns added around an image, as explicit numbers."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @staticmethod
    def same(
        size: Sequence[int], window: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
    ) -> Padding:
        """TensorFlow's SAME: outputs cover ceil(size / stride); the odd row goes to the end."""
        (top, bottom), (left, right) = (
            _same_axis(*axis) for axis in zip(size, window, stride, dilation, strict=True)
        )
        return Padding(top, bottom, left, right)


def _same_axis(size: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    reach = (window - 1) * dilation + 1
    outputs = -(-size // stride)
    total = max(0, (outputs - 1) * stride + reach - size)
    return total // 2, total - total // 2


def output_size(
    size: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int]:
    """Rows and columns of the output; raises GraphError if the window does not fit once."""
    padded = (size[0] + padding.top + padding.bottom, size[1] + padding.left + padding.right)
    reach = tuple((w - 1) * d + 1 for w, d in zip(window, dilation, strict=True))
    rows, columns = ((p - r) // s + 1 for p, r, s in zip(padded, reach, stride, strict=True))
    if rows < 1 or columns < 1:
        raise GraphError("window", f"{window} is larger than the padded input {padded}")
    return rows, columns


def patches(
    x: Array,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    fill: float,
    dilation: tuple[int, int] = (1, 1),
) -> Array:
    """The windows of `x` [N, H, W, C] as a view [N, rows, columns, C, window rows, columns]."""
    around = ((0, 0), (padding.top, padding.bottom), (padding.left, padding.right), (0, 0))
    padded = np.pad(x, around, constant_values=fill)
    reach = tuple((w - 1) * d + 1 for w, d in zip(window, dilation, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=(1, 2))
    return view[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
