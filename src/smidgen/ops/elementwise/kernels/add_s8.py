"""The int8 sum of equal shapes, or with one operand repeated."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.elementwise.ops import Add, AddScaling
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lowering import all_int8
from smidgen.targets.catalogue import Core


def repeats(part: Tensor, whole: Tensor) -> bool:
    """Whether `part`, walked again and again, broadcasts to `whole`: a suffix of its shape."""
    trimmed = part.shape
    while trimmed and trimmed[0] == 1:
        trimmed = trimmed[1:]
    return not trimmed or whole.shape[-len(trimmed) :] == trimmed


class AddInt8(Kernel):
    """Int8 sum of equal shapes, or with one operand repeated, in portable C."""

    name = "add_s8"
    op = Add

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int8; one operand of the output's shape, the other a suffix of it."""
        del op
        a, b, output = signature.input(0), signature.input(1), signature.output
        whole = a if a.elements == output.elements else b
        part = b if whole is a else a
        return (
            all_int8(a, b, output) and whole.elements == output.elements and repeats(part, output)
        )

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The larger operand is `a`; each may be overwritten by the output where it is as large."""
        del core
        assert isinstance(op, Add)
        output, scaling = signature.output, AddScaling.of(signature)
        first = 0 if signature.input(0).elements == output.elements else 1
        factors = (scaling.left, scaling.right)
        a, b = signature.input(first), signature.input(1 - first)
        low, high = clamp_range(op.activation, output)
        fields: tuple[tuple[str, CValue], ...] = (
            ("count", output.elements),
            ("period", b.elements),
            ("shift", scaling.shift),
            ("a_zero_point", a.quant.zero_point),
            ("a_mantissa", factors[first].mantissa),
            ("a_shift", factors[first].shift),
            ("b_zero_point", b.quant.zero_point),
            ("b_mantissa", factors[1 - first].mantissa),
            ("b_shift", factors[1 - first].shift),
            ("out_zero_point", output.quant.zero_point),
            ("out_mantissa", scaling.output.mantissa),
            ("out_shift", scaling.output.shift),
            ("low", low),
            ("high", high),
        )
        same_size = tuple(
            Overlap(0, index)
            for index in range(2)
            if signature.input(index).elements == output.elements
        )
        return KernelCall(
            self.name,
            "smg_add_s8.h",
            "smg_add_s8",
            CStruct("smg_add_s8_t", fields),
            (InputArg(first), InputArg(1 - first), OutputArg(0)),
            overlaps=same_size,
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 40 instructions for each element."""
        del op, core
        return Cost(40.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (AddInt8(),)
