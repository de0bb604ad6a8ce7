"""Int8 depthwise convolution of few outputs on Arm cores with the DSP extension."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.axes import axes, by_channel
from smidgen.ops.conv.fields import accepts_int8, window_overlap
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
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.columns import Scaling, fold, general_scaling, scaling
from smidgen.ops.support.lowering import bias_or_zeros
from smidgen.ops.support.requantize import per_channel
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import Core

_BLOCK = 4
# What 350 bytes of code that no other layer may use are worth, in instructions.
_OWN_CODE = 350.0


class DepthwiseFewInt8Dsp(Kernel):
    """A window along one axis, no padding, four channels at a time, straight from the input."""

    name = "depthwise_few_s8_dsp"
    op = DepthwiseConv2D
    requires = frozenset({"dsp", "unaligned"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8, symmetric weights, multiplier 1, channels by fours."""
        assert isinstance(op, DepthwiseConv2D)
        x, weights = signature.input(0), signature.input(1)
        return (
            accepts_int8(signature)
            and op.padding == Padding()
            and 1 in weights.shape[1:3]
            and weights.shape[3] == x.shape[3]
            and x.shape[3] % _BLOCK == 0
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights by four channels, and a table of scalings."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        weights, found = _packed(op, signature)
        fields = (
            *_geometry(op, signature),
            ("scale", found.struct(clamp_range(op.activation, signature.output))),
            ("weights", CArray(DType.INT32, _blocks(weights), "weights, four channels a word")),
            ("words", CArray(DType.INT32, found.words, "scaling of each channel")),
        )
        return KernelCall(
            self.name,
            "smg_depthwise_few_s8_dsp.h",
            "smg_depthwise_few_s8_dsp",
            CStruct("smg_depthwise_few_s8_dsp_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Three instructions for each product, 25 for each output."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        taps = signature.input(1).elements // signature.input(1).shape[3]
        return Cost(signature.output.elements * (3.0 * taps + 25.0) + _OWN_CODE)


def _geometry(op: DepthwiseConv2D, signature: Signature) -> tuple[tuple[str, CValue], ...]:
    x, (rows, cols) = signature.input(0), axes(op, signature)
    pixel, row = x.shape[3], x.shape[2] * x.shape[3]
    along, step = (rows, row) if rows.window > 1 else (cols, pixel)
    return (
        ("channels", x.shape[3]),
        ("rows", rows.outputs),
        ("cols", cols.outputs),
        ("row_step", rows.stride * row),
        ("col_step", cols.stride * pixel),
        ("taps", along.window),
        ("tap_step", along.dilation * step),
    )


@lru_cache(maxsize=256)
def _packed(op: DepthwiseConv2D, signature: Signature) -> tuple[Array, Scaling]:
    x, output = signature.input(0), signature.output
    channels = output.shape[3]
    table = per_channel(x, signature.input(1), output, channels)
    bias = bias_or_zeros(signature, channels)
    weights, folded = fold(by_channel(signature).astype(np.int64), bias, table, x.quant.zero_point)
    clamp, zero_point = clamp_range(op.activation, output), output.quant.zero_point
    found = scaling(weights, folded, table, zero_point, clamp)
    return weights, found or general_scaling(folded, table, zero_point)


def _blocks(weights: Array) -> Array:
    """Weights [channels, taps] as words [channels / 4, taps]."""
    split = weights.reshape(-1, _BLOCK, weights.shape[1]).transpose(0, 2, 1)
    return np.ascontiguousarray(split).astype(np.int8).view("<i4")


KERNELS: tuple[Kernel, ...] = (DepthwiseFewInt8Dsp(),)
