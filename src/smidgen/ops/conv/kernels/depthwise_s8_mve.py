"""Int8 depthwise convolution on Arm cores with MVE (Helium)."""

from __future__ import annotations

from math import ceil, prod

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, window_overlap
from smidgen.ops.conv.mve import window_struct
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
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.mve import LANES, requantize_words, rounds_up
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core

_CHANNEL_ORDER = np.array([0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15])


class DepthwiseConv2DInt8Mve(Kernel):
    """Int8 depthwise convolution with multiplier 1, sixteen channels at a time."""

    name = "depthwise_s8_mve"
    op = DepthwiseConv2D
    requires = frozenset({"mve"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, constant symmetric weights above -128, one output for each channel."""
        del op
        return (
            accepts_int8(signature)
            and signature.input(0).shape[3] == signature.output.shape[3]
            and int(constant(signature, 1).min(initial=0)) > -128
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by sixteen channels; the input zero point moves into the bias."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        weights = constant(signature, 1)[0]
        window_bytes = 4 * ceil(weights.size / 4)
        return KernelCall(
            self.name,
            "smg_depthwise_s8_mve.h",
            _function(op, signature),
            CStruct("smg_depthwise_s8_mve_t", _fields(op, signature, window_bytes)),
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=window_bytes + 8 * (weights.shape[0] * weights.shape[1] + 1),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Ten instructions for each tap of sixteen channels, and 70 for their outputs."""
        del core, op
        _, rows, cols, channels = constant(signature, 1).shape
        pixels = prod(signature.output.shape[1:3])
        each = ceil(channels / LANES) * (10.0 * rows * cols + 70)
        return Cost(pixels * (each + 40.0))


def _function(op: DepthwiseConv2D, signature: Signature) -> str:
    shape = "_3x3" if _is_3x3(constant(signature, 1)[0]) else ""
    return f"smg_depthwise_s8_mve{shape}{'_up' if _up(op, signature) else ''}"


def _up(op: DepthwiseConv2D, signature: Signature) -> bool:
    output = signature.output
    multipliers = per_channel(signature.input(0), signature.input(1), output, output.shape[3])
    return rounds_up(multipliers, output.quant.zero_point, clamp_range(op.activation, output))


def _is_3x3(weights: Array) -> bool:
    rows, cols, channels = weights.shape
    return (rows, cols) == (3, 3) and channels % LANES == 0


def _fields(
    op: DepthwiseConv2D, signature: Signature, window_bytes: int
) -> tuple[tuple[str, CValue], ...]:
    weights, output = constant(signature, 1)[0], signature.output
    shapes = (signature.input(0).shape, signature.input(1).shape, output.shape)
    low, high = clamp_range(op.activation, output)
    return (
        ("window", window_struct(op, shapes, signature.input(0).quant.zero_point)),
        ("window_bytes", window_bytes),
        ("out_zero_point", output.quant.zero_point),
        ("low", low),
        ("high", high),
        ("blocks", _blocks(signature, weights, _up(op, signature))),
    )


def _blocks(signature: Signature, weights: Array, up: bool) -> CArray:
    """Words and weights [rows, columns, channels] by sixteen channels."""
    channels = weights.shape[2]
    blocks, taps = ceil(channels / LANES), weights.shape[0] * weights.shape[1]
    taps_padded = taps if _is_3x3(weights) else taps + taps % 2
    bias = bias_or_zeros(signature, channels)
    folded = bias - signature.input(0).quant.zero_point * weights.sum(axis=(0, 1))
    table = per_channel(signature.input(0), signature.input(1), signature.output, channels)
    by_channel = requantize_words(folded, table, up).transpose(1, 0, 2)
    words = np.zeros((by_channel.shape[0], blocks * LANES), np.int32)
    words[:, : by_channel[0].size] = by_channel.reshape(len(words), -1)
    ordered = words.reshape(len(words), blocks, LANES)[:, :, _CHANNEL_ORDER]
    head = ordered.reshape(len(words), blocks, 4, 4).transpose(1, 2, 0, 3).reshape(blocks, -1)
    padded = np.zeros((taps_padded, blocks * LANES), np.int8)
    padded[:taps, :channels] = weights.reshape(taps, channels)
    tail = padded.reshape(taps_padded, blocks, LANES).transpose(1, 0, 2).reshape(blocks, -1)
    stream = np.concatenate([head, np.ascontiguousarray(tail).view("<i4")], axis=1)
    comment = "by sixteen channels: bias, multipliers and shifts, then weights of each tap"
    return CArray(DType.INT32, stream, comment)


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Mve(),)
