"""Int8 convolution in portable C."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.fields import accepts_int8, output_fields, window_fields, window_overlap
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
)
from smidgen.ops.support.lowering import bias_or_zeros, bias_table, constant, multiplier_tables
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


class Conv2DInt8(Kernel):
    """Any int8 convolution, in portable C."""

    name = "conv2d_s8"
    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, constant symmetric weights."""
        del op
        return accepts_int8(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OHWI); the input zero point moves into the bias."""
        del core
        assert isinstance(op, Conv2D)
        x, output = signature.input(0), signature.output
        weights = constant(signature, 1)
        channels, rows, cols, depth = weights.shape
        bias = bias_or_zeros(signature, channels)
        folded = bias - x.quant.zero_point * weights.sum(axis=(1, 2, 3))
        fields: tuple[tuple[str, CValue], ...] = (
            ("in_rows", x.shape[1]),
            ("in_cols", x.shape[2]),
            ("in_channels", x.shape[3]),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("out_channels", channels),
            ("win_rows", rows),
            ("win_cols", cols),
            ("group_channels", depth),
            ("group_outputs", channels * depth // x.shape[3]),
            *window_fields(op),
            *output_fields(op, signature),
            ("weights", CArray(DType.INT8, signature.input(1).values, "weights, OHWI")),
            ("bias", bias_table(folded)),
            *multiplier_tables(per_channel(x, signature.input(1), output, channels)),
        )
        return KernelCall(
            self.name,
            "smg_conv2d_s8.h",
            "smg_conv2d_s8",
            CStruct("smg_conv2d_s8_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=window_overlap(op, signature),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About ten instructions for each multiply-accumulate."""
        del core
        weights = signature.input(1)
        return Cost(
            10.0 * op.macs(signature) + 40.0 * signature.output.elements,
            flash_bytes=weights.nbytes + 9 * weights.shape[0],
        )


KERNELS: tuple[Kernel, ...] = (Conv2DInt8(),)
