"""Parameters that every int8 convolution kernel has."""

from __future__ import annotations

from smidgen.core.dtypes import Array
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.kernel import CValue, Overlap
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lowering import all_int8, constant, weights_are_constant
from smidgen.ops.support.overlap import safe_conv_distance


def accepts_int8(signature: Signature) -> bool:
    """Int8 in and out, batch 1, constant weights with zero point 0."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    return (
        x.shape[0] == 1
        and all_int8(x, weights, output)
        and not any(weights.quant.zero_points)
        and weights_are_constant(signature)
    )


def ohwi(op: Op, signature: Signature) -> Array:
    """The weights as OHWI; those of a depthwise convolution of one channel are 1HWO."""
    weights = constant(signature, 1)
    return weights.transpose(3, 1, 2, 0) if isinstance(op, DepthwiseConv2D) else weights


def window_fields(op: Conv2D | DepthwiseConv2D) -> tuple[tuple[str, CValue], ...]:
    """Stride, dilation and the padding before the first row and column."""
    return (
        ("stride_rows", op.stride[0]),
        ("stride_cols", op.stride[1]),
        ("dilation_rows", op.dilation[0]),
        ("dilation_cols", op.dilation[1]),
        ("top", op.padding.top),
        ("left", op.padding.left),
    )


def output_fields(
    op: Conv2D | DepthwiseConv2D, signature: Signature
) -> tuple[tuple[str, CValue], ...]:
    """Zero points and the clamp in output quanta."""
    low, high = clamp_range(op.activation, signature.output)
    return (
        ("zero_point", signature.input(0).quant.zero_point),
        ("out_zero_point", signature.output.quant.zero_point),
        ("low", low),
        ("high", high),
    )


def window_overlap(op: Conv2D | DepthwiseConv2D, signature: Signature) -> tuple[Overlap, ...]:
    """How far the output may reach into the input of a kernel that goes element by element.

    That is: in row-major order of the output, each element written after all its reads.
    """
    x, weights, output = signature.input(0), signature.input(1), signature.output
    depthwise = isinstance(op, DepthwiseConv2D)
    ahead = safe_conv_distance(
        x.shape,
        output.shape,
        (weights.shape[1], weights.shape[2]),
        op.stride,
        op.padding,
        op.dilation,
        multiplier=output.shape[3] // x.shape[3] if depthwise else None,
    )
    return (Overlap(0, 0, ahead=ahead),)
