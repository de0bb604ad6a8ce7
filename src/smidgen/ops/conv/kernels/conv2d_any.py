"""Convolution of every type, in portable C."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.generic import any_window, generic_overlaps
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.kernel import Cost, CStruct, CValue, Kernel, KernelCall
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


def _channels(signature: Signature) -> tuple[tuple[str, CValue], ...]:
    outputs, _, _, depth = signature.input(1).shape
    return (
        ("out_channels", outputs),
        ("group_channels", depth),
        ("group_outputs", outputs * depth // signature.input(0).shape[3]),
    )


class Conv2DQuanta(Kernel):
    """Any integer convolution: batches, int16, int4, asymmetric or computed weights."""

    name = "conv2d_q"
    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Every integer type."""
        del op
        return accepts_quanta(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OHWI), as an argument."""
        del core
        assert isinstance(op, Conv2D)
        x, weights, output = signature.input(0), signature.input(1), signature.output
        multipliers = per_channel(x, weights, output, weights.shape[0])
        params = CStruct(
            "smg_conv2d_q_t",
            (
                ("window", any_window(op, signature)),
                *_channels(signature),
                *zero_point_fields(signature),
                ("finish", finish_struct(signature, multipliers, op.activation)),
            ),
        )
        function = quanta_function("smg_conv2d", signature)
        overlaps = generic_overlaps(op, signature)
        return call(self.name, "smg_conv2d_q.h", function, params, overlaps)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 14 instructions for each multiply-accumulate."""
        del core
        return Cost(14.0 * op.macs(signature) + 60.0 * signature.output.elements)


class Conv2DReal(Kernel):
    """Any convolution of floats, by float or quantised weights."""

    name = "conv2d_f32"
    op = Conv2D

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Float in and out."""
        del op
        return accepts_real(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OHWI), as an argument."""
        del core
        assert isinstance(op, Conv2D)
        params = CStruct(
            "smg_conv2d_f32_t",
            (
                ("window", any_window(op, signature)),
                *_channels(signature),
                ("finish", real_struct(signature, op.activation)),
            ),
        )
        function = real_function("smg_conv2d", signature)
        overlaps = generic_overlaps(op, signature)
        return call(self.name, "smg_conv2d_f32.h", function, params, overlaps)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 60 instructions for each multiply-accumulate without an FPU, 6 with one."""
        each = 6.0 if "fpu" in core.features else 60.0
        return Cost(each * op.macs(signature) + 60.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (Conv2DQuanta(), Conv2DReal())
