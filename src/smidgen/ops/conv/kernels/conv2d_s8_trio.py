"""Int8 convolution on cores without SIMD, three pixels at a time."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, prod

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.conv.windows import Shape, may_copy, windows
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Trio, interleave, pack_trio
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.overlap import safe_pixel_distance
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core

_PIXELS = 3
_COMMENT = "weights, four outputs interleaved"


class Conv2DInt8Trio(Kernel):
    """Any int8 convolution without groups, four outputs of three pixels at a time."""

    name = "conv2d_s8_trio"
    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups."""
        del op
        same = signature.input(0).shape[3] == signature.input(1).shape[3]
        return accepts_int8(signature) and same

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights interleaved by four outputs, and a table of scalings."""
        del core
        assert isinstance(op, Conv2D)
        packed = _packed(op, signature)
        x, output = signature.input(0), signature.output
        shapes = (x.shape, signature.input(1).shape, output.shape)
        clamp = clamp_range(op.activation, output)
        return trio_call(self.name, op, shapes, packed, x.quant.zero_point, clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `trio_cost`."""
        del core
        assert isinstance(op, Conv2D)
        shapes = (signature.input(0).shape, signature.input(1).shape, signature.output.shape)
        return trio_cost(op, shapes)


def trio_call(
    name: str,
    op: Conv2D,
    shapes: tuple[Shape, Shape, Shape],
    packed: Trio,
    zero_point: int,
    clamp: tuple[int, int],
) -> KernelCall:
    """The call of smg_conv2d_s8_trio for input, weights and output of `shapes`."""
    depth = prod(shapes[1][1:])
    fields: tuple[tuple[str, CValue], ...] = (
        ("windows", windows(op, shapes, zero_point)),
        ("scale", packed.scaling.struct(clamp)),
        ("out_channels", shapes[1][0]),
        ("depth", depth),
        ("segment", packed.segment),
        ("weights", CArray(DType.INT8, interleave(packed.weights, 4), _COMMENT)),
        ("words", CArray(DType.INT32, packed.scaling.words, "scaling of each output")),
    )
    return KernelCall(
        name,
        "smg_conv2d_s8_trio.h",
        "smg_conv2d_s8_trio",
        CStruct("smg_conv2d_s8_trio_t", fields),
        (InputArg(0), OutputArg(0), ScratchArg()),
        scratch_bytes=_scratch_bytes(op, shapes[1]),
        overlaps=(Overlap(0, 0, ahead=_ahead(op, shapes)),),
    )


def trio_cost(op: Conv2D, shapes: tuple[Shape, Shape, Shape]) -> Cost:
    """18 instructions for each twelve products, 250 for each twelve outputs, and the columns."""
    _, weights, output = shapes
    groups = ceil(output[1] * output[2] / _PIXELS)
    depth, blocks = prod(weights[1:]), ceil(weights[0] / 4)
    gather = (10.0 if not may_copy(op, weights) else 20.0) * depth + 150
    return Cost(
        groups * (blocks * (18.0 * depth + 250) + gather),
        flash_bytes=blocks * 4 * (depth + 12),
        scratch_bytes=_scratch_bytes(op, weights),
    )


@lru_cache(maxsize=256)
def _packed(op: Conv2D, signature: Signature) -> Trio:
    x, output = signature.input(0), signature.output
    channels = signature.input(1).shape[0]
    return pack_trio(
        constant(signature, 1).reshape(channels, -1),
        bias_or_zeros(signature, channels),
        per_channel(x, signature.input(1), output, channels),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
    )


def _scratch_bytes(op: Conv2D, weights: Shape) -> int:
    """Two words for each product, and two copies behind them where windows may need copies."""
    return (10 if may_copy(op, weights) else 8) * prod(weights[1:])


def _ahead(op: Conv2D, shapes: tuple[Shape, Shape, Shape]) -> int:
    x, weights, output = shapes
    return safe_pixel_distance(
        x,
        output,
        (weights[1], weights[2]),
        op.stride,
        op.padding,
        op.dilation,
        pixels=_PIXELS,
    )


KERNELS: tuple[Kernel, ...] = (Conv2DInt8Trio(),)
