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
from smidgen.ops.support.lanes import requantize_words, rounds_up
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.mve import LANES
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
        del core
        assert isinstance(op, DepthwiseConv2D)
        _, rows, cols, channels = constant(signature, 1).shape
        each = ceil(channels / LANES) * (10.0 * rows * cols + 70)
        at_once = max(1, LANES // channels) if op.stride[1] == 1 else 1
        return Cost(ceil(prod(signature.output.shape[1:3]) / at_once) * (each + 40.0))


def _function(op: DepthwiseConv2D, signature: Signature) -> str:
    weights = constant(signature, 1)[0]
    shape = ""
    if _is_3x3(weights):
        shape = "_3x3x16" if weights.shape[2] % LANES == 0 else "_3x3"
    return f"smg_depthwise_s8_mve{shape}{'_up' if _up(op, signature) else ''}"


def _up(op: DepthwiseConv2D, signature: Signature) -> bool:
    output = signature.output
    multipliers = per_channel(signature.input(0), signature.input(1), output, output.shape[3])
    return rounds_up(multipliers, output.quant.zero_point, clamp_range(op.activation, output))


def _is_3x3(weights: Array) -> bool:
    rows, cols, _ = weights.shape
    return (rows, cols) == (3, 3)


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
    bias = bias_or_zeros(signature, channels)
    folded = bias - signature.input(0).quant.zero_point * weights.sum(axis=(0, 1))
    table = per_channel(signature.input(0), signature.input(1), signature.output, channels)
    by_channel = requantize_words(folded, table, up).transpose(1, 0, 2)
    words = _in_lanes(by_channel.reshape(len(by_channel), -1)[:, :channels])
    ordered = words.reshape(len(words), blocks, LANES)[:, :, _CHANNEL_ORDER]
    head = ordered.reshape(len(words), blocks, 4, 4).transpose(1, 2, 0, 3).reshape(blocks, -1)
    lanes = _in_lanes(weights.reshape(taps, channels).astype(np.int8))
    if taps % 2 and not _is_3x3(weights):
        lanes = np.concatenate([lanes, np.zeros_like(lanes[:1])])
    tail = lanes.reshape(len(lanes), blocks, LANES).transpose(1, 0, 2).reshape(blocks, -1)
    stream = np.concatenate([head, np.ascontiguousarray(tail).view("<i4")], axis=1)
    comment = "by sixteen channels: bias, multipliers and shifts, then weights of each tap"
    return CArray(DType.INT32, stream, comment)


def _in_lanes(values: Array) -> Array:
    """[rows, channels] filled up to whole vectors: with zeros, or fewer than 16 with themselves."""
    rows, channels = values.shape
    if channels < LANES:
        return np.asarray(np.resize(values.T, (LANES, rows)).T)
    return np.pad(values, ((0, 0), (0, -channels % LANES)))


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8Mve(),)
