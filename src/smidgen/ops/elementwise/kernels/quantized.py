"""Sum, difference, product, quotient and squared difference of int8 and int16 quanta."""

from __future__ import annotations

from typing import ClassVar

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.arithmetic import (
    Div,
    Mul,
    SquaredDifference,
    Sub,
    div_multiplier,
    mul_multiplier,
    squared_difference_scaling,
)
from smidgen.ops.elementwise.lowering import (
    Fields,
    QuantizedKernel,
    clamp_fields,
    zero_points,
)
from smidgen.ops.elementwise.ops import Add, AddScaling
from smidgen.ops.kernel import Kernel
from smidgen.ops.support.activation import Activation


def scaling_fields(scaling: AddScaling) -> Fields:
    """The multipliers of both operands and of the output."""
    return (
        ("shift", scaling.shift),
        ("a_mantissa", scaling.left.mantissa),
        ("a_shift", scaling.left.shift),
        ("b_mantissa", scaling.right.mantissa),
        ("b_shift", scaling.right.shift),
        ("out_mantissa", scaling.output.mantissa),
        ("out_shift", scaling.output.shift),
    )


class AddQuantized(QuantizedKernel):
    """Sum with any broadcasting; shapes that fit are faster by `add_s8`."""

    name = "add_quantized"
    op: ClassVar[type[Op]] = Add
    header = "smg_sum.h"
    params = "smg_sum_t"
    instructions = 50.0
    sign: ClassVar[int] = 1

    def stem(self, op: Op) -> str:
        """The same function for sum and difference."""
        del op
        return "smg_sum"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Sign, zero points, multipliers, clamp."""
        assert isinstance(op, (Add, Sub))
        return (
            ("sign", self.sign),
            *zero_points(signature),
            *scaling_fields(AddScaling.of(signature)),
            *clamp_fields(op.activation, signature),
        )


class SubQuantized(AddQuantized):
    """Difference with any broadcasting."""

    name = "sub_quantized"
    op = Sub
    sign = -1


class MulQuantized(QuantizedKernel):
    """Product with any broadcasting."""

    name = "mul_quantized"
    op = Mul
    header = "smg_mul.h"
    params = "smg_mul_t"
    instructions = 25.0

    def stem(self, op: Op) -> str:
        """For int8 and int16."""
        del op
        return "smg_mul"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Zero points, multiplier, clamp."""
        assert isinstance(op, Mul)
        factor = mul_multiplier(signature)
        return (
            *zero_points(signature),
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
            *clamp_fields(op.activation, signature),
        )


class DivInt8(QuantizedKernel):
    """Quotient with any broadcasting."""

    name = "div_s8"
    op = Div
    header = "smg_div_s8.h"
    params = "smg_div_s8_t"
    dtypes = (DType.INT8,)
    instructions = 150.0

    def stem(self, op: Op) -> str:
        """For int8."""
        del op
        return "smg_div"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Zero points, multiplier, clamp."""
        assert isinstance(op, Div)
        factor = div_multiplier(signature)
        return (
            *zero_points(signature),
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
            *clamp_fields(op.activation, signature),
        )


class SquaredDifferenceQuantized(QuantizedKernel):
    """Squared difference with any broadcasting."""

    name = "squared_difference_quantized"
    op = SquaredDifference
    header = "smg_squared_difference.h"
    params = "smg_squared_difference_t"
    instructions = 50.0

    def stem(self, op: Op) -> str:
        """For int8 and int16."""
        del op
        return "smg_squared_difference"

    def fields(self, op: Op, signature: Signature) -> Fields:
        """Zero points, multipliers, clamp."""
        del op
        return (
            *zero_points(signature),
            *scaling_fields(squared_difference_scaling(signature)),
            *clamp_fields(Activation.NONE, signature),
        )


KERNELS: tuple[Kernel, ...] = (
    AddQuantized(),
    SubQuantized(),
    MulQuantized(),
    DivInt8(),
    SquaredDifferenceQuantized(),
)
