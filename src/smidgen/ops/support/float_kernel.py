"""One kernel class for every float32 function of one element in smg_unary_f32.h."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.targets.catalogue import Core


class FloatFunction(Kernel):
    """float32 in and out; the C function is called as the op."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """By type."""
        del op
        return signature.input(0).dtype is signature.output.dtype is DType.FLOAT32

    def function(self, op: Op) -> str:
        """``smg_exp_f32`` and so on."""
        return f"smg_{op.kind}_f32"

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A loop over the elements."""
        del core
        return KernelCall(
            self.name,
            "smg_unary_f32.h",
            self.function(op),
            CStruct("smg_unary_f32_t", (("count", signature.output.elements),)),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 50 instructions for each element with an FPU, far more without."""
        del op
        each = 50.0 if "fpu" in core.features else 1000.0
        return Cost(each * signature.output.elements)


def float_function_of(op: type[Op]) -> Kernel:
    """The float32 kernel of one op class."""
    made = type(f"{op.__name__}Float", (FloatFunction,), {"name": f"{op.kind}_f32", "op": op})
    kernel: Kernel = made()
    return kernel
