"""Calls of the MVE convolution (smg_conv2d_s8_mve.h), and what else its relatives share."""

from __future__ import annotations

from math import ceil, prod

from smidgen.ops.conv.fields import window_fields
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.windows import Shape
from smidgen.ops.kernel import Cost, CStruct, InputArg, KernelCall, OutputArg, Overlap, ScratchArg
from smidgen.ops.support.mve import LANES, Dots, dot_instructions, steps_of
from smidgen.ops.support.overlap import safe_pixel_distance

_PIXELS = 2
_EDGES = ("top", "bottom", "left", "right")


def window_struct(
    op: Conv2D | DepthwiseConv2D, shapes: tuple[Shape, Shape, Shape], zero_point: int
) -> CStruct:
    """smg_window_mve_t: the geometry of a layer with input, weights and output of `shapes`."""
    x, weights, output = shapes
    fields = (
        ("in_rows", x[1]),
        ("in_cols", x[2]),
        ("in_channels", x[3]),
        ("out_rows", output[1]),
        ("out_cols", output[2]),
        ("win_rows", weights[1]),
        ("win_cols", weights[2]),
        *window_fields(op),
        ("zero_point", zero_point),
    )
    return CStruct("smg_window_mve_t", fields)


def columns_call(
    name: str,
    op: Conv2D | DepthwiseConv2D,
    shapes: tuple[Shape, Shape, Shape],
    dots: Dots,
    zero_point: int,
) -> KernelCall:
    """The call of smg_conv2d_s8_mve; `shapes` are those of input, OHWI weights and output."""
    x, weights, output = shapes
    fields = (("window", window_struct(op, shapes, zero_point)), ("dot", dots.struct))
    padding, dilation = op.padding, op.dilation
    window = (weights[1], weights[2])
    ahead = safe_pixel_distance(x, output, window, op.stride, padding, dilation, pixels=_PIXELS)
    points = "_1x1" if _is_points(op, weights) else ""
    return KernelCall(
        name,
        "smg_conv2d_s8_mve.h",
        f"smg_conv2d_s8_mve{points}{dots.suffix}",
        CStruct("smg_conv2d_s8_mve_t", fields),
        (InputArg(0), OutputArg(0), ScratchArg()),
        scratch_bytes=LANES * _PIXELS * steps_of(prod(weights[1:])),
        overlaps=(Overlap(0, 0, ahead=ahead),),
    )


def columns_cost(op: Conv2D | DepthwiseConv2D, shapes: tuple[Shape, Shape, Shape]) -> Cost:
    """The dot products, and some instructions for each row of a window that is copied."""
    _, weights, output = shapes
    outputs, rows, cols, depth = weights
    pairs = ceil(output[1] * output[2] / _PIXELS)
    each = 10.0 if _is_points(op, weights) else 10.0 * rows + 40.0
    copies = _PIXELS * (each + 3.0 * rows * steps_of(cols * depth))
    return Cost(pairs * (dot_instructions(rows * cols * depth, outputs) + copies))


def _is_points(op: Conv2D | DepthwiseConv2D, weights: Shape) -> bool:
    edges = any(getattr(op.padding, edge) for edge in _EDGES)
    return weights[1:3] == (1, 1) and op.stride == (1, 1) and not edges
