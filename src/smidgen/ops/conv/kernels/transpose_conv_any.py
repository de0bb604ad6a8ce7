"""Transposed convolution of every type, in portable C."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.transpose import TransposeConv2D
from smidgen.ops.kernel import Cost, CStruct, Kernel, KernelCall
from smidgen.ops.support.generic import (
    QUANTA_SUFFIXES,
    accepts_quanta,
    accepts_real,
    call,
    finish_struct,
    real_function,
    real_struct,
    zero_point_fields,
)
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


def _spread(op: TransposeConv2D, signature: Signature) -> CStruct:
    x, weights, output = signature.input(0), signature.input(1), signature.output
    return CStruct(
        "smg_spread_t",
        (
            ("batches", x.shape[0]),
            ("in_rows", x.shape[1]),
            ("in_cols", x.shape[2]),
            ("in_channels", x.shape[3]),
            ("out_rows", output.shape[1]),
            ("out_cols", output.shape[2]),
            ("out_channels", output.shape[3]),
            ("win_rows", weights.shape[1]),
            ("win_cols", weights.shape[2]),
            ("stride_rows", op.stride[0]),
            ("stride_cols", op.stride[1]),
            ("top", op.padding.top),
            ("left", op.padding.left),
        ),
    )


class TransposeConvQuanta(Kernel):
    """Any integer transposed convolution."""

    name = "transpose_conv_q"
    op = TransposeConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Every integer type."""
        del op
        return accepts_quanta(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OHWI), as an argument; 16-bit activations always sum in 64 bits."""
        del core
        assert isinstance(op, TransposeConv2D)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        multipliers = per_channel(x, weights, output, weights.shape[0])
        wide = x.dtype is DType.INT16
        params = CStruct(
            "smg_transpose_conv_q_t",
            (
                ("spread", _spread(op, signature)),
                *zero_point_fields(signature),
                ("finish", finish_struct(signature, multipliers, op.activation, wide)),
            ),
        )
        suffix = QUANTA_SUFFIXES[x.dtype, weights.dtype] + ("_wide" if wide else "")
        function = f"smg_transpose_conv_{suffix}"
        return call(self.name, "smg_transpose_conv_q.h", function, params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 14 instructions for each multiply-accumulate."""
        del core
        return Cost(14.0 * op.macs(signature) + 80.0 * signature.output.elements)


class TransposeConvReal(Kernel):
    """Any transposed convolution of floats, by float or quantised weights."""

    name = "transpose_conv_f32"
    op = TransposeConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Float in and out."""
        del op
        return accepts_real(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OHWI), as an argument."""
        del core
        assert isinstance(op, TransposeConv2D)
        params = CStruct(
            "smg_transpose_conv_f32_t",
            (("spread", _spread(op, signature)), ("finish", real_struct(signature, op.activation))),
        )
        function = real_function("smg_transpose_conv", signature)
        return call(self.name, "smg_transpose_conv_f32.h", function, params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 60 instructions for each multiply-accumulate without an FPU, 6 with one."""
        each = 6.0 if "fpu" in core.features else 60.0
        return Cost(each * op.macs(signature) + 80.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (TransposeConvQuanta(), TransposeConvReal())
