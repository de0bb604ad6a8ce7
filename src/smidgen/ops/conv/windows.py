"""The geometry of a convolution's windows, as smg_windows_s8.h wants it."""

from __future__ import annotations

from smidgen.graph.op import Signature
from smidgen.ops.conv.fields import window_fields
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.kernel import CStruct

Shape = tuple[int, ...]


def windows(
    op: Conv2D | DepthwiseConv2D, shapes: tuple[Shape, Shape, Shape], zero_point: int
) -> CStruct:
    """The windows of `op` over input, weights and output of `shapes`."""
    x, (_, rows, cols, depth), output = shapes
    runs, run_bytes, run_step = _runs(op, x, shapes[1])
    return CStruct(
        "smg_windows_s8_t",
        (
            ("in_rows", x[1]),
            ("in_cols", x[2]),
            ("in_channels", depth),
            ("out_cols", output[2]),
            ("out_pixels", output[1] * output[2]),
            ("win_rows", rows),
            ("win_cols", cols),
            ("row_reach", (rows - 1) * op.dilation[0]),
            ("col_reach", (cols - 1) * op.dilation[1]),
            *window_fields(op),
            ("zero_point", zero_point),
            ("runs", runs),
            ("run_bytes", run_bytes),
            ("run_step", run_step),
            ("pixel_step", pixel_step(op, x, shapes[1])),
        ),
    )


def has_runs(op: Conv2D | DepthwiseConv2D, weights: Shape) -> bool:
    """Whether a window that lies inside consists of contiguous multiples of 4 bytes."""
    _, _, cols, depth = weights
    return cols * depth % 4 == 0 and (cols == 1 or op.dilation[1] == 1)


def may_copy(op: Conv2D | DepthwiseConv2D, weights: Shape) -> bool:
    """Whether there may be windows that must be copied."""
    padding = op.padding
    outside = any((padding.top, padding.bottom, padding.left, padding.right))
    return outside or not has_runs(op, weights)


def gives_one_pixel(op: Conv2D | DepthwiseConv2D, signature: Signature) -> bool:
    """Whether there is one output pixel, whose window is contiguous at the input's start."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    _, rows, cols, depth = weights.shape
    return (
        output.shape[1] * output.shape[2] == 1
        and depth == x.shape[3]
        and not (op.padding.top or op.padding.left)
        and rows <= x.shape[1]
        and cols <= x.shape[2]
        and (rows == 1 or (op.dilation[0] == 1 and cols == x.shape[2]))
        and (cols == 1 or op.dilation[1] == 1)
    )


def _runs(op: Conv2D | DepthwiseConv2D, x: Shape, weights: Shape) -> tuple[int, int, int]:
    """Count, bytes and distance of the runs; one run where rows follow each other."""
    _, rows, cols, depth = weights
    if not has_runs(op, weights):
        return 0, 0, 0
    run_bytes, run_step = cols * depth, op.dilation[0] * x[2] * depth
    if run_bytes == run_step or rows == 1:
        return 1, rows * run_bytes, 0
    return rows, run_bytes, run_step


def pixel_step(op: Conv2D | DepthwiseConv2D, x: Shape, weights: Shape) -> int:
    """Bytes from each window to the next where they are one run each, and evenly spaced; else 0."""
    runs, _, _ = _runs(op, x, weights)
    return 0 if runs != 1 or may_copy(op, weights) else _spacing(op, x, weights)


def loose_pixel_step(op: Conv2D, x: Shape, weights: Shape) -> int:
    """The same for windows of one pixel that are no multiple of 4 bytes; else 0."""
    padding = op.padding
    outside = any((padding.top, padding.bottom, padding.left, padding.right))
    if outside or weights[1:3] != (1, 1) or has_runs(op, weights):
        return 0
    return _spacing(op, x, weights)


def _spacing(op: Conv2D | DepthwiseConv2D, x: Shape, weights: Shape) -> int:
    _, rows, cols, depth = weights
    out_rows = _count(x[1], rows, op.dilation[0], op.stride[0])
    out_cols = _count(x[2], cols, op.dilation[1], op.stride[1])
    next_row = op.stride[0] * x[2]
    if out_cols == 1:
        return next_row * depth
    even = out_rows == 1 or op.stride[1] * out_cols == next_row
    return op.stride[1] * depth if even else 0


def _count(size: int, window: int, dilation: int, stride: int) -> int:
    return (size - (window - 1) * dilation - 1) // stride + 1
