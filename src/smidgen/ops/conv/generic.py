"""What the convolution kernels of every type share."""

from __future__ import annotations

from smidgen.graph.op import Signature
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.kernel import CStruct, Overlap
from smidgen.ops.support.generic import window_struct
from smidgen.ops.support.overlap import safe_conv_distance


def any_window(op: Conv2D | DepthwiseConv2D, signature: Signature) -> CStruct:
    """`smg_window_t` of a convolution."""
    weights = signature.input(1)
    size = (weights.shape[1], weights.shape[2])
    x, output = signature.input(0), signature.output
    return window_struct(x, output, size, op.stride, op.padding, op.dilation)


def generic_overlaps(op: Conv2D | DepthwiseConv2D, signature: Signature) -> tuple[Overlap, ...]:
    """How far the output may reach into the input: element by element, for batch 1 only."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    if x.shape[0] != 1:
        return ()
    depthwise = isinstance(op, DepthwiseConv2D)
    ahead = safe_conv_distance(
        x.shape,
        output.shape,
        (weights.shape[1], weights.shape[2]),
        op.stride,
        op.padding,
        op.dilation,
        multiplier=output.shape[3] // x.shape[3] if depthwise else None,
        element_bytes=x.dtype.nbytes(1),
    )
    return (Overlap(0, 0, ahead=ahead),)
