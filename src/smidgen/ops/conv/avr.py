"""What the int8 convolutions for 8-bit AVR have in common."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Signature
from smidgen.ops.conv.fields import accepts_int8, output_fields, window_fields
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.kernel import CArray, Cost, CStruct
from smidgen.ops.support.lowering import bias_or_zeros, bias_table, multiplier_tables
from smidgen.ops.support.requantize import per_channel

MOST_ELEMENTS = 32_767
"""Indices have 16 bits with a sign."""
_OUTPUT_INSTRUCTIONS = 180.0


def accepts(signature: Signature) -> bool:
    """Int8 in and out, constant symmetric weights, and no tensor of more than 32767 elements."""
    tensors = (signature.input(0), signature.input(1), signature.output)
    return accepts_int8(signature) and all(each.elements <= MOST_ELEMENTS for each in tensors)


def windows(
    op: Conv2D | DepthwiseConv2D, signature: Signature, weights: Array, layout: str
) -> CStruct:
    """The geometry and constants; `weights` start with the output channel, in which `layout`."""
    x, output = signature.input(0), signature.output
    channels = output.shape[3]
    sums = weights.reshape(channels, -1).sum(axis=1, dtype=np.int64)
    folded = bias_or_zeros(signature, channels) - x.quant.zero_point * sums
    return CStruct(
        "smg_windows_avr_t",
        (
            ("in_rows", x.shape[1]),
            ("in_cols", x.shape[2]),
            ("in_channels", x.shape[3]),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("out_channels", channels),
            ("win_rows", signature.input(1).shape[1]),
            ("win_cols", signature.input(1).shape[2]),
            *window_fields(op),
            ("row_elements", x.shape[2] * x.shape[3]),
            ("row_step", op.dilation[0] * x.shape[2] * x.shape[3]),
            *output_fields(op, signature),
            ("weights", CArray(DType.INT8, weights, f"weights, {layout}")),
            ("bias", bias_table(folded)),
            *multiplier_tables(per_channel(x, signature.input(1), output, channels)),
        ),
    )


def cost(op: Conv2D | DepthwiseConv2D, signature: Signature, each_product: float) -> Cost:
    """`each_product` instructions for a product, and those of the requantisation."""
    weights, output = signature.input(1), signature.output
    return Cost(
        each_product * op.macs(signature) + _OUTPUT_INSTRUCTIONS * output.elements,
        flash_bytes=weights.nbytes + 9 * output.shape[3],
    )
