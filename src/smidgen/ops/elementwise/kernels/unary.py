"""Functions of one element: float32 by formula, int8 by table, some of them on int16."""

from __future__ import annotations

from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.unary import (
    RSQRT_SHIFT,
    Abs,
    Ceil,
    Cos,
    Exp,
    Floor,
    Log,
    Neg,
    Round,
    Rsqrt,
    Sin,
    Sqrt,
    Square,
    abs_multiplier,
    rsqrt_multiplier,
)
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
from smidgen.ops.support.float_kernel import float_function_of
from smidgen.ops.support.lookup import interpolated_of, lookup_of
from smidgen.targets.catalogue import Core

_FUNCTIONS: tuple[type[Op], ...] = (
    Exp,
    Log,
    Sqrt,
    Rsqrt,
    Square,
    Abs,
    Neg,
    Floor,
    Ceil,
    Round,
    Sin,
    Cos,
)


_SMOOTH: tuple[type[Op], ...] = (Exp, Log, Sqrt, Square, Neg)
"""Those of int16 that are interpolated: they have no steps, and no more than one bend."""


class RsqrtInt16(Kernel):
    """Reciprocal root of int16 quanta."""

    name = "rsqrt_s16"
    op: ClassVar[type[Op]] = Rsqrt

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int16 with a scale on both sides."""
        del op
        tensors = (signature.input(0), signature.output)
        return all(t.dtype is DType.INT16 and t.quantization is not None for t in tensors)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A loop over the elements."""
        del op, core
        fields: tuple[tuple[str, CValue], ...] = (
            ("count", signature.output.elements),
            ("zero_point", signature.input(0).quant.zero_point),
            ("out_zero_point", signature.output.quant.zero_point),
            *self.multiplier(signature),
        )
        return KernelCall(
            self.name,
            f"smg_{self.name}.h",
            f"smg_{self.name}",
            CStruct(f"smg_{self.name}_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def multiplier(self, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        """The output's multiplier, the bits of the finer root taken off."""
        factor = rsqrt_multiplier(signature)
        return (("mantissa", factor.mantissa), ("shift", factor.shift - RSQRT_SHIFT))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 200 instructions for each element."""
        del op, core
        return Cost(200.0 * signature.output.elements)


class AbsInt16(RsqrtInt16):
    """Magnitude of int16 quanta."""

    name = "abs_s16"
    op: ClassVar[type[Op]] = Abs

    def multiplier(self, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        """The output's multiplier."""
        factor = abs_multiplier(signature)
        return (("mantissa", factor.mantissa), ("shift", factor.shift))


KERNELS: tuple[Kernel, ...] = (
    *map(float_function_of, _FUNCTIONS),
    *map(lookup_of, _FUNCTIONS),
    *map(interpolated_of, _SMOOTH),
    RsqrtInt16(),
    AbsInt16(),
)
