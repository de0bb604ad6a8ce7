"""Logistic, tanh and their kin: int8 by table, int16 and float32 by formula."""

from __future__ import annotations

from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.activation.functions import (
    Elu,
    Erf,
    Gelu,
    HardSwish,
    LeakyRelu,
    Logistic,
    Tanh,
    leaky_relu_multipliers,
)
from smidgen.ops.activation.sigmoid import logistic_scaling, tanh_scaling
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.support.float_kernel import FloatFunction, float_function_of
from smidgen.ops.support.lookup import interpolated_of, lookup_of
from smidgen.ops.support.sigmoid16 import SIGMOID_TABLE
from smidgen.targets.catalogue import Core


class GeluFloat(FloatFunction):
    """By erf or by tanh, as the op says."""

    name = "gelu_f32"
    op = Gelu

    def function(self, op: Op) -> str:
        """Two C functions."""
        assert isinstance(op, Gelu)
        return "smg_gelu_tanh_f32" if op.approximate else "smg_gelu_f32"


class LogisticInt16(Kernel):
    """Logistic of int16 quanta by interpolation."""

    name = "logistic_s16"
    op: ClassVar[type[Op]] = Logistic

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int16 with a scale on both sides."""
        del op
        return is_int16(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The table, and the factor from input quanta to its steps."""
        del core
        scale = signature.input(0).quant.scale
        scaling = logistic_scaling(scale) if isinstance(op, Logistic) else tanh_scaling(scale)
        table = CArray(DType.UINT16, SIGMOID_TABLE, "logistic(i / 24) in units of 2^-16")
        fields = (
            ("count", signature.output.elements),
            ("multiplier", scaling.multiplier),
            ("shift", scaling.shift),
            ("table", table),
        )
        return KernelCall(
            self.name,
            "smg_sigmoid_layer_s16.h",
            f"smg_{op.kind}_layer_s16",
            CStruct("smg_sigmoid_layer_s16_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 25 instructions for each element."""
        del op, core
        return Cost(25.0 * signature.output.elements, flash_bytes=512.0)


class TanhInt16(LogisticInt16):
    """Tanh of int16 quanta by interpolation."""

    name = "tanh_s16"
    op: ClassVar[type[Op]] = Tanh


class LeakyReluInt16(Kernel):
    """Leaky relu of int16 quanta."""

    name = "leaky_relu_s16"
    op: ClassVar[type[Op]] = LeakyRelu

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Int16 with a scale on both sides."""
        del op
        return is_int16(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A loop over the elements."""
        del core
        assert isinstance(op, LeakyRelu)
        fields = (("count", signature.output.elements), *self.fields(op, signature))
        return KernelCall(
            self.name,
            "smg_leaky_relu.h",
            f"smg_{self.name}",
            CStruct(f"smg_{self.name}_t", fields),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def fields(self, op: LeakyRelu, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        """Zero points and the multipliers of both sides."""
        above, below = leaky_relu_multipliers(signature, op.alpha)
        return (
            ("zero_point", signature.input(0).quant.zero_point),
            ("out_zero_point", signature.output.quant.zero_point),
            ("above_mantissa", above.mantissa),
            ("above_shift", above.shift),
            ("below_mantissa", below.mantissa),
            ("below_shift", below.shift),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 20 instructions for each element."""
        del op, core
        return Cost(20.0 * signature.output.elements)


class LeakyReluFloat(LeakyReluInt16):
    """Leaky relu of float32."""

    name = "leaky_relu_f32"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """By type."""
        del op
        return signature.output.dtype is DType.FLOAT32

    def fields(self, op: LeakyRelu, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        """The slope."""
        del signature
        return (("alpha", float(op.alpha)),)


def is_int16(signature: Signature) -> bool:
    """Whether input and output are quantised int16."""
    tensors = (signature.input(0), signature.output)
    return all(t.dtype is DType.INT16 and t.quantization is not None for t in tensors)


_FLOAT: tuple[type[Op], ...] = (Logistic, Tanh, Elu, HardSwish, Erf)
_BYTES: tuple[type[Op], ...] = (*_FLOAT, Gelu, LeakyRelu)

KERNELS: tuple[Kernel, ...] = (
    *map(float_function_of, _FLOAT),
    *map(lookup_of, _BYTES),
    *map(interpolated_of, (Elu, HardSwish, Gelu, Erf)),
    GeluFloat(),
    LogisticInt16(),
    TanhInt16(),
    LeakyReluInt16(),
    LeakyReluFloat(),
)
