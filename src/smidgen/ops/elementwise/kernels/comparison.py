"""Comparisons and logic."""

from __future__ import annotations

from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.comparison import (
    Compare,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    comparison_multiplier,
)
from smidgen.ops.elementwise.lowering import SUFFIXES, BinaryKernel, Fields
from smidgen.ops.elementwise.plain import is_quantized
from smidgen.ops.kernel import Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.ops.support.broadcast import elementwise_overlaps
from smidgen.targets.catalogue import Core


class ComparePlain(BinaryKernel):
    """Numbers as they are: all types but quanta of 8 and 16 bits."""

    name = "compare"
    op = Compare
    header = "smg_compare.h"
    params = "smg_compare_t"
    dtypes = tuple(SUFFIXES)
    instructions = 10.0

    def stem(self, op: Op) -> str:
        """``smg_less_equal`` and so on."""
        assert isinstance(op, Compare)
        return f"smg_{op.relation.label}"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """None but the walk."""
        del op, signature
        return ()

    def accepts(self, op: Op, signature: Signature) -> bool:
        """By type, and not quantised."""
        return not is_quantized(signature.input(0)) and super().accepts(op, signature)


class CompareScaled(BinaryKernel):
    """Quanta of int8 or int16, brought to real values."""

    name = "compare_scaled"
    op = Compare
    header = "smg_compare_scaled.h"
    params = "smg_compare_scaled_t"
    dtypes = (DType.INT8, DType.INT16)
    instructions = 40.0

    def stem(self, op: Op) -> str:
        """``smg_scaled_less_equal`` and so on."""
        assert isinstance(op, Compare)
        return f"smg_scaled_{op.relation.label}"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Zero points and multipliers of both operands."""
        del op
        a, b = signature.input(0), signature.input(1)
        left, right = comparison_multiplier(a), comparison_multiplier(b)
        return (
            ("a_zero_point", a.quant.zero_point),
            ("a_mantissa", left.mantissa),
            ("a_shift", left.shift),
            ("b_zero_point", b.quant.zero_point),
            ("b_mantissa", right.mantissa),
            ("b_shift", right.shift),
        )

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Both operands have a scale."""
        tensors = (signature.input(0), signature.input(1))
        return all(map(is_quantized, tensors)) and super().accepts(op, signature)


class LogicalPair(BinaryKernel):
    """a and b on bool."""

    name = "logical_and"
    op: ClassVar[type[Op]] = LogicalAnd
    header = "smg_logical.h"
    params = "smg_logical_t"
    dtypes = (DType.BOOL,)
    instructions = 10.0

    def stem(self, op: Op) -> str:
        """``smg_logical_and`` or ``smg_logical_or``."""
        return f"smg_{op.kind}"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """None but the walk."""
        del op, signature
        return ()


class LogicalEither(LogicalPair):
    """a or b on bool."""

    name = "logical_or"
    op = LogicalOr


class LogicalInverse(Kernel):
    """not x on bool."""

    name = "logical_not"
    op = LogicalNot

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Bool, as the op's shape rule demands."""
        del op
        return signature.input(0).dtype is DType.BOOL

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A loop."""
        del op, core
        return KernelCall(
            self.name,
            "smg_logical.h",
            "smg_logical_not",
            CStruct("smg_logical_not_t", (("count", signature.output.elements),)),
            (InputArg(0), OutputArg(0)),
            overlaps=elementwise_overlaps(signature, 1),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 6 instructions for each element."""
        del op, core
        return Cost(6.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (
    ComparePlain(),
    CompareScaled(),
    LogicalPair(),
    LogicalEither(),
    LogicalInverse(),
)
