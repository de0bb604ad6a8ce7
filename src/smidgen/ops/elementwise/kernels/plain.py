"""Arithmetic, minimum and maximum of numbers as they are: float32, int32 and others."""

from __future__ import annotations

from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.arithmetic import Div, Mul, SquaredDifference, Sub
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.lowering import SUFFIXES, BinaryKernel, Fields, clamp_fields
from smidgen.ops.elementwise.modulo import FloorDiv, FloorMod
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.kernel import Kernel
from smidgen.ops.support.activation import Activation


class ArithmeticFloat(BinaryKernel):
    """float32 arithmetic with a clamp."""

    header = "smg_arithmetic_f32.h"
    params = "smg_arithmetic_f32_t"
    dtypes: ClassVar[tuple[DType, ...]] = (DType.FLOAT32,)
    instructions = 12.0

    def stem(self, op: Op) -> str:
        """``smg_add`` and so on."""
        return f"smg_{op.kind}"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """The clamp."""
        return clamp_fields(getattr(op, "activation", Activation.NONE), signature)


class ArithmeticInt32(ArithmeticFloat):
    """int32 arithmetic that wraps, with a clamp."""

    header = "smg_arithmetic_s32.h"
    params = "smg_arithmetic_s32_t"
    dtypes = (DType.INT32,)


class Extremes(BinaryKernel):
    """Minimum or maximum of any type of number; quanta are compared as they are."""

    header = "smg_extremes.h"
    params = "smg_extremes_t"
    dtypes: ClassVar[tuple[DType, ...]] = tuple(t for t in SUFFIXES if t is not DType.BOOL)
    instructions = 10.0

    def stem(self, op: Op) -> str:
        """``smg_minimum`` or ``smg_maximum``."""
        return f"smg_{op.kind}"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """None but the walk."""
        del op, signature
        return ()


class ModuloFloat(Extremes):
    """Floor division and its remainder in float32."""

    header = "smg_modulo_f32.h"
    params = "smg_modulo_f32_t"
    dtypes = (DType.FLOAT32,)
    instructions = 60.0


class WideIntegers(Extremes):
    """Arithmetic on other integers of 32 and 64 bits, which wraps."""

    header = "smg_integers.h"
    params = "smg_integers_t"
    dtypes: ClassVar[tuple[DType, ...]] = (DType.UINT32, DType.INT64, DType.UINT64)
    instructions = 16.0

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Without an activation, which such numbers never come with."""
        plain = getattr(op, "activation", Activation.NONE) is Activation.NONE
        return plain and super().accepts(op, signature)


class IntegerModulo(WideIntegers):
    """The remainder of integers."""

    dtypes = (DType.INT32, DType.UINT32, DType.INT64, DType.UINT64)


def _kernel(base: type[BinaryKernel], op: type[Op], suffix: str) -> Kernel:
    made = type(f"{op.__name__}{base.__name__}", (base,), {"name": f"{op.kind}{suffix}", "op": op})
    kernel: Kernel = made()
    return kernel


KERNELS: tuple[Kernel, ...] = (
    *(_kernel(ArithmeticFloat, op, "_f32") for op in (Add, Sub, Mul, Div, SquaredDifference)),
    *(_kernel(ArithmeticInt32, op, "_s32") for op in (Add, Sub, Mul, Div, SquaredDifference)),
    *(_kernel(Extremes, op, "") for op in (Minimum, Maximum)),
    *(_kernel(ModuloFloat, op, "_f32") for op in (FloorDiv, FloorMod)),
    *(_kernel(WideIntegers, op, "_integers") for op in (Add, Sub, Mul, Div)),
    _kernel(IntegerModulo, FloorMod, "_integers"),
)
