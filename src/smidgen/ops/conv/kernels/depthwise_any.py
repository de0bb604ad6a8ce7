"""Depthwise convolution of every type, in portable C."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.generic import any_window, generic_overlaps
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.kernel import Cost, CStruct, Kernel, KernelCall
from smidgen.ops.support.generic import (
    accepts_quanta,
    accepts_real,
    call,
    finish_struct,
    quanta_function,
    real_function,
    real_struct,
    zero_point_fields,
)
from smidgen.ops.support.requantize import per_channel
from smidgen.targets.catalogue import Core


class DepthwiseQuanta(Kernel):
    """Any integer depthwise convolution: batches, int16, int4, asymmetric or computed weights."""

    name = "depthwise_q"
    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Every integer type."""
        del op
        return accepts_quanta(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (HWO), as an argument."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        multipliers = per_channel(x, weights, output, output.shape[3])
        params = CStruct(
            "smg_depthwise_q_t",
            (
                ("window", any_window(op, signature)),
                ("multiplier", output.shape[3] // x.shape[3]),
                *zero_point_fields(signature),
                ("finish", finish_struct(signature, multipliers, op.activation)),
            ),
        )
        function = quanta_function("smg_depthwise", signature)
        overlaps = generic_overlaps(op, signature)
        return call(self.name, "smg_depthwise_q.h", function, params, overlaps)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 24 instructions for each multiply-accumulate."""
        del core
        return Cost(24.0 * op.macs(signature) + 60.0 * signature.output.elements)


class DepthwiseReal(Kernel):
    """Any depthwise convolution of floats, by float or quantised weights."""

    name = "depthwise_f32"
    op = DepthwiseConv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Float in and out."""
        del op
        return accepts_real(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (HWO), as an argument."""
        del core
        assert isinstance(op, DepthwiseConv2D)
        params = CStruct(
            "smg_depthwise_f32_t",
            (
                ("window", any_window(op, signature)),
                ("multiplier", signature.output.shape[3] // signature.input(0).shape[3]),
                ("finish", real_struct(signature, op.activation)),
            ),
        )
        function = real_function("smg_depthwise", signature)
        overlaps = generic_overlaps(op, signature)
        return call(self.name, "smg_depthwise_f32.h", function, params, overlaps)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 70 instructions for each multiply-accumulate without an FPU, 16 with one."""
        each = 16.0 if "fpu" in core.features else 70.0
        return Cost(each * op.macs(signature) + 60.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (DepthwiseQuanta(), DepthwiseReal())
