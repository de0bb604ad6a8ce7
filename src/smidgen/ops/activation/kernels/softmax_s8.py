"""The int8 softmax."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.activation.softmax import input_multiplier, smallest_difference
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
    ScratchArg,
)
from smidgen.ops.support.lowering import all_int8
from smidgen.targets.catalogue import Core


class SoftmaxInt8(Kernel):
    """Int8 softmax over the last axis, in portable C."""

    name = "softmax_s8"
    op = Softmax

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8 in and out, with the output quantisation that the specification fixes."""
        del op
        return all_int8(signature.input(0), signature.output)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The input multiplier, which brings differences to Q5.26."""
        del core
        assert isinstance(op, Softmax)
        x = signature.input(0)
        factor = input_multiplier(x.quant.scale, op.beta)
        params = CStruct(
            "smg_softmax_s8_t",
            (
                ("rows", x.elements // x.shape[-1]),
                ("depth", x.shape[-1]),
                ("mantissa", factor.mantissa),
                ("left_shift", factor.shift),
                ("smallest_difference", smallest_difference(factor.shift)),
            ),
        )
        return KernelCall(
            self.name,
            "smg_softmax_s8.h",
            "smg_softmax_s8",
            params,
            (InputArg(0), OutputArg(0), ScratchArg()),
            scratch_bytes=4 * x.shape[-1],
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 130 instructions for each element."""
        del op, core
        return Cost(130.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (SoftmaxInt8(),)
