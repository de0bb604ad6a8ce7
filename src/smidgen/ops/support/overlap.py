"""How far an output may reach into an input that is still being read.

A kernel that walks forwards reads what it needs for a block of output bytes, writes the block, and
goes on. With d = address(output) - address(input), block b ends at output byte (b + 1) * block - 1,
which is input byte d + (b + 1) * block - 1. That byte must lie below every input byte that is read
later on. So the largest safe distance is min over b of first_unread[b] - (b + 1) * block, and every
smaller distance is safe too. A kernel that walks backwards is the mirror image. Kernels state the
result as `Overlap.ahead` or `Overlap.behind`.
"""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.ops.support.window import Padding


def forward_distance(first_unread: Array, block_bytes: int) -> int:
    """The largest safe address(output) - address(input) of a kernel that walks forwards.

    `first_unread[b]` is the lowest input byte that is read once a byte of output block b has been
    written; where nothing is left to read, any byte beyond the input will do.
    """
    ends = (np.arange(len(first_unread), dtype=np.int64) + 1) * block_bytes
    return int((np.asarray(first_unread, np.int64) - ends).min())


def backward_distance(last_unread: Array, block_bytes: int) -> int:
    """The smallest safe address(output) - address(input) of a kernel that walks backwards.

    `last_unread[b]` is the highest input byte that is read once a byte of output block b has been
    written (-1: none); blocks are written from the last one down to block 0.
    """
    starts = np.arange(len(last_unread), dtype=np.int64) * block_bytes
    return int((np.asarray(last_unread, np.int64) + 1 - starts).max())


def safe_conv_distance(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
    multiplier: int | None = None,
    element_bytes: int = 1,
) -> int:
    """`ahead` of a windowed kernel that works element by element, in row-major order.

    For NHWC shapes of batch 1 and elements of `element_bytes`. Each output element is written after
    all its reads and before those of the next. It reads every channel of its window, or only
    channel o // `multiplier` where that is given (depthwise; pooling has 1).
    """
    pixels = _first_pixels(x_shape, y_shape, window, stride, padding, dilation).reshape(-1, 1)
    channels = np.arange(y_shape[3], dtype=np.int64)
    first_channel = channels * 0 if multiplier is None else channels // multiplier
    lowest = (pixels * x_shape[3] + first_channel).reshape(-1)
    return _distance_of_reads(lowest, x_shape, y_shape, 1, element_bytes)


def safe_pixel_distance(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
    pixels: int = 1,
    element_bytes: int = 1,
) -> int:
    """`ahead` of a windowed kernel that writes `pixels` output pixels at a time, in any order.

    All that a group of pixels needs has been read (into registers or scratch) before the first of
    its bytes is written. `pixels` may be a whole row, or must be 1, or must divide a row, or the
    groups must run on across rows; a shorter last group is allowed for.
    """
    first = _first_pixels(x_shape, y_shape, window, stride, padding, dilation).reshape(-1)
    return _distance_of_reads(first * x_shape[3], x_shape, y_shape, pixels, element_bytes)


def safe_row_distance(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
    element_bytes: int = 1,
) -> int:
    """`ahead` of a windowed kernel that copies each input row once into a ring in its scratch.

    Before it writes any byte of an output row it has copied every input row of that row's window,
    and it never reads a copied row again; it copies no row that lies beyond that window.
    """
    row_bytes = x_shape[2] * x_shape[3] * element_bytes
    reach = (window[0] - 1) * dilation[0] + 1
    rows = np.arange(y_shape[1], dtype=np.int64)
    copied = np.clip(rows * stride[0] - padding.top + reach, 0, x_shape[1])
    first_unread = np.maximum.accumulate(copied) * row_bytes
    block_bytes = y_shape[2] * y_shape[3] * element_bytes
    # After the last row, and once every row is copied, nothing is left to read.
    first_unread[-1] = _beyond(x_shape, y_shape, element_bytes)
    first_unread[copied >= x_shape[1]] = _beyond(x_shape, y_shape, element_bytes)
    return forward_distance(first_unread, block_bytes)


def safe_tile_distance(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    window: tuple[int, int],
    tile: tuple[int, int],
    padding: Padding,
) -> int:
    """`ahead` of a kernel that writes tiles of `tile` output pixels at a time, row by row of tiles.

    `window` is what a tile reads, all of it before the first of its bytes is written; windows lie
    as far apart as tiles do. Tiles may hang over the output.
    """
    tiles = (1, -(-y_shape[1] // tile[0]), -(-y_shape[2] // tile[1]), y_shape[3])
    first = _first_pixels(x_shape, tiles, window, tile, padding, (1, 1)).reshape(-1) * x_shape[3]
    last_rows = np.minimum(np.arange(1, tiles[1] + 1) * tile[0], y_shape[1]) - 1
    last_cols = np.minimum(np.arange(1, tiles[2] + 1) * tile[1], y_shape[2])
    ends = (last_rows[:, None] * y_shape[2] + last_cols).reshape(-1) * y_shape[3]
    unread = np.append(first[1:], _beyond(x_shape, y_shape, 1))
    unread = np.minimum.accumulate(unread[::-1])[::-1]
    return int((unread - np.maximum.accumulate(ends)).min())


def _first_pixels(
    x_shape: tuple[int, ...],
    y_shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int],
) -> Array:
    """The lowest input pixel that each output pixel reads, [rows, columns].

    A window that lies wholly in the padding counts as reading the nearest pixel: conservative.
    """
    rows, cols = (
        _first_inside(y_shape[axis + 1], x_shape[axis + 1], window[axis], step, before, spread)
        for axis, (step, before, spread) in enumerate(
            zip(stride, (padding.top, padding.left), dilation, strict=True)
        )
    )
    return np.asarray(rows[:, None] * x_shape[2] + cols[None, :])


def _first_inside(
    outputs: int, size: int, window: int, step: int, before: int, spread: int
) -> Array:
    """The first position inside an axis of `size` that each output's taps touch."""
    starts = np.arange(outputs, dtype=np.int64) * step - before
    skipped = np.maximum(0, -(starts // spread))  # ceil(-start / spread) taps lie before the axis
    inside = starts + np.minimum(skipped, window - 1) * spread
    return np.asarray(np.clip(inside, 0, size - 1))


def _distance_of_reads(
    lowest: Array, x_shape: tuple[int, ...], y_shape: tuple[int, ...], step: int, element_bytes: int
) -> int:
    """`ahead`, from the lowest input element that each unit of output reads; `step` are written at
    a time.
    """
    unit_bytes = int(np.prod(y_shape)) * element_bytes // len(lowest)
    unread = np.minimum.accumulate(lowest[::-1])[::-1] * element_bytes
    after = unread[step::step]
    ends = np.append(after, _beyond(x_shape, y_shape, element_bytes))
    return forward_distance(ends, unit_bytes * step)


def _beyond(x_shape: tuple[int, ...], y_shape: tuple[int, ...], element_bytes: int) -> int:
    """A byte so far up that it forbids nothing: buffers that far apart do not touch."""
    return int(np.prod(x_shape) + np.prod(y_shape)) * element_bytes * 2
