"""Int8 convolution on Arm cores with the DSP extension."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, prod

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.conv.windows import Shape, has_runs, loose_pixel_step, may_copy, windows
from smidgen.ops.kernel import (
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
from smidgen.ops.support.columns import Packed, Scaling, pack_layer, padded_depth
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.overlap import safe_pixel_distance
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core

BLOCK = 4
"""Outputs that the inner kernel makes at a time."""
_PIXELS = 2
_STEPS, _STEP_BYTES = 8, 48


class Conv2DInt8Dsp(Kernel):
    """Any int8 convolution without groups, two pixels and four channels at a time, with SMLAD."""

    name = "conv2d_s8_dsp"
    op = Conv2D
    requires = frozenset({"dsp"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups, and numbers that allow its shortcuts."""
        assert isinstance(op, Conv2D)
        return (
            accepts_int8(signature)
            and signature.input(0).shape[3] == signature.input(1).shape[3]
            and packed_conv(op, signature, BLOCK) is not None
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in blocks of four outputs with their requantisation behind them."""
        del core
        assert isinstance(op, Conv2D)
        packed = packed_conv(op, signature, BLOCK)
        assert packed is not None
        x, output = signature.input(0), signature.output
        shapes = (x.shape, signature.input(1).shape, output.shape)
        clamp = clamp_range(op.activation, output)
        return columns_call(self.name, op, shapes, packed, x.quant.zero_point, clamp)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """See `columns_cost`."""
        del core
        assert isinstance(op, Conv2D)
        shapes = (signature.input(0).shape, signature.input(1).shape, signature.output.shape)
        return columns_cost(op, shapes)


@lru_cache(maxsize=256)
def packed_conv(op: Conv2D, signature: Signature, block: int) -> Packed | None:
    """The constants of a convolution in blocks of `block` outputs, if its numbers allow it."""
    x, output = signature.input(0), signature.output
    channels = signature.input(1).shape[0]
    return pack_layer(
        constant(signature, 1).reshape(channels, -1),
        bias_or_zeros(signature, channels),
        per_channel(x, signature.input(1), output, channels),
        (x.quant.zero_point, output.quant.zero_point),
        clamp_range(op.activation, output),
        block,
    )


def columns_call(
    name: str,
    op: Conv2D,
    shapes: tuple[Shape, Shape, Shape],
    packed: Packed,
    zero_point: int,
    clamp: tuple[int, int],
) -> KernelCall:
    """The call of smg_conv2d_s8_dsp for input, weights and output of `shapes`."""
    return KernelCall(
        name,
        "smg_conv2d_s8_dsp.h",
        "smg_conv2d_s8_dsp",
        CStruct("smg_conv2d_s8_dsp_t", _fields(op, shapes, packed, zero_point, clamp)),
        (InputArg(0), OutputArg(0), ScratchArg()),
        scratch_bytes=_scratch_bytes(op, shapes[1]),
        overlaps=(Overlap(0, 0, ahead=_ahead(op, shapes)),),
    )


def columns_cost(op: Conv2D, shapes: tuple[Shape, Shape, Shape]) -> Cost:
    """0.77 instructions for each product, 50 for each 4 x 2 outputs, and the columns."""
    _, weights, output = shapes
    pairs = ceil(output[1] * output[2] / _PIXELS)
    depth, blocks = padded_depth(prod(weights[1:])), ceil(weights[0] / BLOCK)
    quick = has_runs(op, weights) or loose_pixel_step(op, shapes[0], weights) > 0
    gather = (2.0 if quick else 5.0) * depth + 100
    return Cost(
        pairs * (blocks * (6.2 * depth + 50) + gather),
        flash_bytes=blocks * BLOCK * (depth + 12),
        scratch_bytes=_scratch_bytes(op, weights),
    )


def _fields(
    op: Conv2D,
    shapes: tuple[Shape, Shape, Shape],
    packed: Packed,
    zero_point: int,
    clamp: tuple[int, int],
) -> tuple[tuple[str, CValue], ...]:
    weights = shapes[1]
    return (
        ("windows", windows(op, shapes, zero_point)),
        ("out_channels", weights[0]),
        ("depth", padded_depth(prod(weights[1:]))),
        *_loose_fields(op, shapes),
        ("dot", _dot(padded_depth(prod(weights[1:])), packed.scaling)),
        ("low", clamp[0]),
        ("high", clamp[1]),
        ("weights", packed.words),
    )


def _loose_fields(op: Conv2D, shapes: tuple[Shape, Shape, Shape]) -> tuple[tuple[str, CValue], ...]:
    """Windows of one pixel may be read with bytes of the next, as long as those are the input's."""
    x, weights, output = shapes
    step = loose_pixel_step(op, x, weights)
    beyond = padded_depth(weights[3])
    room = (prod(x) - beyond) // step + 1 if step and prod(x) >= beyond else 0
    return ("loose_step", step), ("loose_pixels", min(room, output[1] * output[2]))


def _dot(depth: int, scaling: Scaling) -> CStruct:
    """The plan of smg_dot_4x2_s8_dsp.h, whose loop has `_STEPS` steps of `_STEP_BYTES` of code."""
    entry = (1 - depth // 2) % _STEPS * _STEP_BYTES + 1
    return CStruct(
        "smg_dot_4x2_t",
        (
            ("x_bytes", 4 * depth),
            ("entry", entry),
            ("scale", scaling.scale),
            ("odd_scale", scaling.scale // 256),
            ("addend", scaling.addend),
        ),
    )


def _scratch_bytes(op: Conv2D, weights: Shape) -> int:
    """Two columns of 16-bit values, and a copy behind them where windows may need copies."""
    return (5 if may_copy(op, weights) else 4) * padded_depth(prod(weights[1:]))


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


KERNELS: tuple[Kernel, ...] = (Conv2DInt8Dsp(),)
