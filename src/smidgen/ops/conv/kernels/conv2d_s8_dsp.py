"""Int8 convolution on Arm cores with the DSP extension."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, window_fields
from smidgen.ops.conv.ops import Conv2D
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
from smidgen.ops.support.columns import Scaling, can_pair, fold, pack, padded_depth, scaling
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.overlap import safe_pixel_distance
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core

_BLOCK = 4
_PIXELS = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    """What packing a layer's constants gives."""

    words: CArray
    scaling: Scaling


class Conv2DInt8Dsp(Kernel):
    """Any int8 convolution without groups, two pixels and four channels at a time, with SMLAD."""

    name = "conv2d_s8_dsp"
    op = Conv2D
    requires = frozenset({"dsp"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, no groups, and numbers that allow its shortcuts."""
        assert isinstance(op, Conv2D)
        if not accepts_int8(signature):
            return False
        return signature.input(0).shape[3] == signature.input(1).shape[3] and (
            _packed(op, signature) is not None
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights in blocks of four outputs with their requantisation behind them."""
        del core
        assert isinstance(op, Conv2D)
        packed = _packed(op, signature)
        assert packed is not None
        return KernelCall(
            self.name,
            "smg_conv2d_s8_dsp.h",
            "smg_conv2d_s8_dsp",
            CStruct("smg_conv2d_s8_dsp_t", _fields(op, signature, packed)),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=_scratch_bytes(op, signature),
            overlaps=(Overlap(0, 0, ahead=_ahead(op, signature)),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """0.77 instructions for each product, 50 for each 4 x 2 outputs, and the columns."""
        del core
        assert isinstance(op, Conv2D)
        output, weights = signature.output, signature.input(1)
        pairs = ceil(output.shape[1] * output.shape[2] / _PIXELS)
        depth = padded_depth(weights.elements // weights.shape[0])
        blocks = ceil(weights.shape[0] / _BLOCK)
        gather = (2.0 if _is_direct(op, signature) else 5.0) * depth + 100
        return Cost(
            pairs * (blocks * (6.2 * depth + 50) + gather),
            flash_bytes=blocks * _BLOCK * (depth + 12),
            scratch_bytes=_scratch_bytes(op, signature),
        )


@lru_cache(maxsize=256)
def _packed(op: Conv2D, signature: Signature) -> _Packed | None:
    x, output = signature.input(0), signature.output
    channels = signature.input(1).shape[0]
    multipliers = per_channel(x, signature.input(1), output, channels)
    weights, bias = fold(
        constant(signature, 1).reshape(channels, -1),
        bias_or_zeros(signature, channels),
        multipliers,
        x.quant.zero_point,
    )
    if not can_pair(weights):
        return None
    clamp = clamp_range(op.activation, output)
    found = scaling(weights, bias, multipliers, output.quant.zero_point, clamp)
    if found is None:
        return None
    comment = "weights in pairs of outputs, by fours, and their scaling"
    return _Packed(CArray(DType.INT32, pack(weights, found, _BLOCK), comment), found)


def _fields(
    op: Conv2D, signature: Signature, packed: _Packed
) -> tuple[tuple[str, CValue], ...]:
    x, output = signature.input(0), signature.output
    channels, rows, cols, depth = signature.input(1).shape
    low, high = clamp_range(op.activation, output)
    return (
        ("in_rows", x.shape[1]),
        ("in_cols", x.shape[2]),
        ("in_channels", x.shape[3]),
        ("out_cols", output.shape[2]),
        ("out_pixels", output.shape[1] * output.shape[2]),
        ("out_channels", channels),
        ("win_rows", rows),
        ("win_cols", cols),
        ("row_reach", (rows - 1) * op.dilation[0]),
        ("col_reach", (cols - 1) * op.dilation[1]),
        *window_fields(op),
        ("depth", padded_depth(rows * cols * depth)),
        ("direct", int(_is_direct(op, signature))),
        ("zero_point", x.quant.zero_point),
        ("scale", packed.scaling.scale),
        ("addend", packed.scaling.addend),
        ("low", low),
        ("high", high),
        ("weights", packed.words),
    )


def _is_direct(op: Conv2D, signature: Signature) -> bool:
    _, _, cols, depth = signature.input(1).shape
    return cols * depth % 4 == 0 and (cols == 1 or op.dilation[1] == 1)


def _is_pointwise(op: Conv2D, signature: Signature) -> bool:
    """Whether no window ever needs the copies."""
    padding = op.padding
    return _is_direct(op, signature) and not any(
        (padding.top, padding.bottom, padding.left, padding.right)
    )


def _scratch_bytes(op: Conv2D, signature: Signature) -> int:
    weights = signature.input(1)
    depth = padded_depth(weights.elements // weights.shape[0])
    return (4 if _is_pointwise(op, signature) else 6) * depth


def _ahead(op: Conv2D, signature: Signature) -> int:
    weights = signature.input(1)
    return safe_pixel_distance(
        signature.input(0).shape,
        signature.output.shape,
        (weights.shape[1], weights.shape[2]),
        op.stride,
        op.padding,
        op.dilation,
        pixels=_PIXELS,
    )


KERNELS: tuple[Kernel, ...] = (Conv2DInt8Dsp(),)
