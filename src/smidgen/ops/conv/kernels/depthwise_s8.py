"""Int8 depthwise convolution in portable C."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, output_fields, window_fields, window_overlap
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
from smidgen.ops.support.lowering import bias_or_zeros, bias_table, multiplier_tables
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


class DepthwiseConv2DInt8(Kernel):
    """Any int8 depthwise convolution, in portable C."""

    name = "depthwise_s8"
    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, constant symmetric weights."""
        del op
        return accepts_int8(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (HWO)."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        channels = output.shape[3]
        fields: tuple[tuple[str, CValue], ...] = (
            ("in_rows", x.shape[1]),
            ("in_cols", x.shape[2]),
            ("in_channels", x.shape[3]),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("multiplier", channels // x.shape[3]),
            ("win_rows", weights.shape[1]),
            ("win_cols", weights.shape[2]),
            *window_fields(op),
            *output_fields(op, signature),
            ("weights", CArray(DType.INT8, weights.values, "weights, HWO")),
            ("bias", bias_table(bias_or_zeros(signature, channels))),
            *multiplier_tables(per_channel(x, weights, output, channels)),
        )
        return KernelCall(
            self.name,
            "smg_depthwise_s8.h",
            "smg_depthwise_s8",
            CStruct("smg_depthwise_s8_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 16 instructions for each multiply-accumulate."""
        del core
        return Cost(16.0 * op.macs(signature) + 40.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2DInt8(),)
