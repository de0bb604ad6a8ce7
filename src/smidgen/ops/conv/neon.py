"""Calls of the Advanced SIMD convolutions (smg_conv2d_s8_neon.h, smg_conv2d_s8_dotprod.h)."""

from __future__ import annotations

from math import ceil, prod

from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.windows import Shape
from smidgen.ops.kernel import Cost, CStruct, InputArg, KernelCall, OutputArg, Overlap, ScratchArg
from smidgen.ops.support.generic import window_over
from smidgen.ops.support.neon import STEP, Dots, Products, dot_instructions, steps_of
from smidgen.ops.support.overlap import safe_pixel_distance
from smidgen.ops.support.window import Padding

_PIXELS = 4
_SLACK_BYTES = 16


def columns_call(
    name: str,
    op: Conv2D | DepthwiseConv2D,
    shapes: tuple[Shape, Shape, Shape],
    products: Products,
    dots: Dots,
    zero_point: int,
) -> KernelCall:
    """The call of smg_conv2d_s8_*; `shapes` are those of input, OHWI weights and output."""
    x, weights, output = shapes
    size = (weights[1], weights[2])
    geometry = window_over((x, output), size, op.stride, op.padding, op.dilation)
    apart = STEP * steps_of(prod(weights[1:]))
    columns = (("window", geometry), ("zero_point", zero_point), ("apart", apart))
    fields = (("columns", CStruct("smg_columns_neon_t", columns)), ("dot", dots.struct))
    ahead = safe_pixel_distance(x, output, size, op.stride, op.padding, op.dilation, pixels=_PIXELS)
    function = f"smg_conv2d_s8_{products.name}"
    return KernelCall(
        name,
        f"{function}.h",
        function + ("_1x1" if _is_points(op, weights) else "") + dots.suffix,
        CStruct(f"{function}_t", fields),
        (InputArg(0), OutputArg(0), ScratchArg()),
        scratch_bytes=_PIXELS * apart + _SLACK_BYTES,
        overlaps=(Overlap(0, 0, ahead=ahead),),
    )


def columns_cost(
    op: Conv2D | DepthwiseConv2D, shapes: tuple[Shape, Shape, Shape], products: Products
) -> Cost:
    """The dot products, and some instructions for each row of a window that is copied."""
    _, weights, output = shapes
    outputs, rows, cols, depth = weights
    fours = ceil(output[1] * output[2] / _PIXELS)
    each = 10.0 if _is_points(op, weights) else 20.0 * rows + 50.0
    copies = _PIXELS * (each + 3.0 * rows * ceil(cols * depth / 16))
    return Cost(fours * (dot_instructions(products, rows * cols * depth, outputs) + copies))


def _is_points(op: Conv2D | DepthwiseConv2D, weights: Shape) -> bool:
    return weights[1:3] == (1, 1) and op.stride == (1, 1) and op.padding == Padding()
