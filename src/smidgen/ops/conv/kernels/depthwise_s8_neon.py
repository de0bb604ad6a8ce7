"""Int8 depthwise convolution on AArch64 cores with Advanced SIMD (NEON)."""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, window_overlap
from smidgen.ops.conv.generic import any_window
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    ScratchArg,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lanes import BLOCK, requantize_words, rounds_up
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.neon import filled_up, finish_struct, has_lowest
from smidgen.ops.support.requantize import Multipliers, per_channel
from smidgen.targets.catalogue import Core

_LANES = (16, 8)
"""Channels at a time: as many as may be, and then the rest."""
_POINTER_BYTES = 8


class DepthwiseConv2DInt8Neon(Kernel):
    """Int8 depthwise convolution with multiplier 1, sixteen or eight channels at a time."""

    name = "depthwise_s8_neon"
    op = DepthwiseConv2D
    requires = frozenset({"neon"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights, one output for each channel."""
        del op
        return accepts_int8(signature) and signature.input(0).shape[3] == signature.output.shape[3]

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by sixteen and eight channels; the input zero point moves into the bias."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        rows, cols, channels = constant(signature, 1).shape[1:]
        shape = "_3x3" if (rows, cols) == (3, 3) else ""
        return KernelCall(
            self.name,
            "smg_depthwise_s8_neon.h",
            "smg_depthwise_s8_neon" + shape + ("_up" if _up(op, signature) else ""),
            CStruct("smg_depthwise_s8_neon_t", _fields(op, signature)),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=_POINTER_BYTES * rows * cols + 16 * ceil(channels / 16),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Six or seven instructions for each tap of a block, 35 for its outputs."""
        del op, core
        _, rows, cols, channels = constant(signature, 1).shape
        each = sum(7.0 * rows * cols + 35.0 for _ in _blocks_of(channels))
        return Cost(prod(signature.output.shape[1:3]) * (each + 5.0 * rows * cols + 20.0))


def _blocks_of(channels: int) -> list[tuple[int, int]]:
    """First channel and lanes of each block."""
    whole, half = _LANES
    wide = channels // whole * whole
    return [(first, whole) for first in range(0, wide, whole)] + [
        (first, half) for first in range(wide, channels, half)
    ]


def _multipliers(signature: Signature) -> Multipliers:
    output = signature.output
    return per_channel(signature.input(0), signature.input(1), output, output.shape[3])


def _up(op: DepthwiseConv2D, signature: Signature) -> bool:
    output = signature.output
    clamp = clamp_range(op.activation, output)
    return rounds_up(_multipliers(signature), output.quant.zero_point, clamp)


def _fields(op: DepthwiseConv2D, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    x, output = signature.input(0), signature.output
    clamp, weights = clamp_range(op.activation, output), constant(signature, 1)[0]
    return (
        ("window", any_window(op, signature)),
        ("zero_point", x.quant.zero_point),
        ("full_range", has_lowest(weights)),
        ("finish", finish_struct(output.quant.zero_point, clamp)),
        ("blocks", _blocks(signature, weights)),
    )


def _blocks(signature: Signature, weights: Array) -> CArray:
    """Words and weights [rows, columns, channels] of each block in turn."""
    channels = weights.shape[2]
    bias = bias_or_zeros(signature, channels)
    folded = bias - signature.input(0).quant.zero_point * weights.sum(axis=(0, 1))
    words = filled_up(
        requantize_words(folded, _multipliers(signature), up=False), ceil(channels / 8) * 2
    )
    taps = weights.reshape(-1, channels).astype(np.int8)
    taps = np.pad(taps, ((0, 0), (0, -channels % 8)))
    parts = []
    for first, lanes in _blocks_of(channels):
        parts.append(words[first // BLOCK : (first + lanes) // BLOCK].reshape(-1))
        block = np.ascontiguousarray(taps[:, first : first + lanes])
        parts.append(block.reshape(-1).view("<i4"))
    comment = "by sixteen channels, then eight: bias, multipliers and shifts, weights of each tap"
    return CArray(DType.INT32, np.concatenate(parts), comment)


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Neon(),)
