"""The sum of up to eight tensors."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.add_n import MOST_INPUTS, AddN, add_n_multiplier
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
)
from smidgen.ops.support.broadcast import elementwise_overlaps
from smidgen.targets.catalogue import Core


class AddNFloat(Kernel):
    """float32, added in order."""

    name = "add_n_f32"
    op = AddN

    def accepts(self, op: Op, signature: Signature) -> bool:
        """At most MOST_INPUTS float tensors."""
        del op
        few = len(signature.inputs) <= MOST_INPUTS
        return few and signature.output.dtype is DType.FLOAT32

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Inputs that are not there repeat the first one, and are not read."""
        del op, core
        count = len(signature.inputs)
        indices = [index if index < count else 0 for index in range(MOST_INPUTS)]
        fields: tuple[tuple[str, CValue], ...] = (
            ("count", signature.output.elements),
            ("inputs", count),
            *self.fields(signature),
        )
        return KernelCall(
            self.name,
            "smg_add_n.h",
            f"smg_{self.name}",
            CStruct(f"smg_{self.name}_t", fields),
            (*map(InputArg, indices), OutputArg(0)),
            overlaps=elementwise_overlaps(signature, count),
        )

    def fields(self, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        """None but the counts."""
        del signature
        return ()

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 10 instructions for each element that is read."""
        del op, core
        return Cost(10.0 * signature.output.elements * len(signature.inputs))


class AddNInt8(AddNFloat):
    """int8 quanta of one scale."""

    name = "add_n_s8"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """At most MOST_INPUTS quantised tensors."""
        del op
        tensors = (signature.input(0), signature.output)
        quantized = all(t.dtype is DType.INT8 and t.quantization for t in tensors)
        return len(signature.inputs) <= MOST_INPUTS and quantized

    def fields(self, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        """Zero points and the output's multiplier."""
        factor = add_n_multiplier(signature)
        return (
            ("x_zero_point", signature.input(0).quant.zero_point),
            ("out_zero_point", signature.output.quant.zero_point),
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
        )


KERNELS: tuple[Kernel, ...] = (AddNFloat(), AddNInt8())
