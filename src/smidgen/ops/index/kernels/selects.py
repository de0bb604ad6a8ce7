"""Kernels of Select, ArgMax, ArgMin and CumSum."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.index.ops import CUMSUM_SHIFT, ArgMax, ArgMin, CumSum, Select
from smidgen.ops.kernel import (
    Argument,
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
from smidgen.ops.shape.moves import row_major
from smidgen.targets.catalogue import Core

_AXES = 4
_IN_PLACE = (Overlap(0, 0, ahead=None, in_place=True),)
Axes = list[tuple[int, ...]]
"""Of each axis: the count, and the step of condition, a and b."""


def select_axes(signature: Signature) -> Axes:
    """The axes of the output, with neighbours merged where all operands walk on."""
    shape = signature.output.shape
    operands = [signature.input(index).shape for index in range(3)]
    steps = [_broadcast_steps(operand, len(shape)) for operand in operands]
    merged: Axes = []
    for axis in zip(shape, *steps, strict=True):
        if axis[0] == 1:
            continue
        if merged and all(
            outer == inner * axis[0] for outer, inner in zip(merged[-1][1:], axis[1:], strict=True)
        ):
            merged[-1] = (merged[-1][0] * axis[0], *axis[1:])
        else:
            merged.append(axis)
    return merged


def _broadcast_steps(shape: tuple[int, ...], rank: int) -> list[int]:
    given = (1,) * (rank - len(shape)) + shape
    return [step if extent > 1 else 0 for step, extent in zip(row_major(given), given, strict=True)]


class SelectCopy(Kernel):
    """Any type, with up to four axes that broadcast differently."""

    name = "select"
    op = Select

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Elements of whole bytes."""
        del op
        return signature.output.dtype.value.bits >= 8 and len(select_axes(signature)) <= _AXES

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Counts and steps, outermost first."""
        del op, core
        axes = select_axes(signature)
        padded = [(1, 0, 0, 0)] * (_AXES - len(axes)) + axes
        table = np.array(padded, np.int32).reshape(-1)
        fields: tuple[tuple[str, CValue], ...] = (
            ("width", signature.output.dtype.numpy.itemsize),
            ("axes", CArray(DType.INT32, table, "count, then steps of condition, a and b")),
        )
        arguments: tuple[Argument, ...] = (*map(InputArg, range(3)), OutputArg(0))
        params = CStruct("smg_select_t", fields)
        shape = signature.output.shape
        near = tuple(Overlap(0, n) for n in (1, 2) if signature.input(n).shape == shape)
        return KernelCall(self.name, "smg_select.h", "smg_select", params, arguments, overlaps=near)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 15 instructions an element."""
        del op, core
        return Cost(15.0 * signature.output.elements)


class _ArgKernel(Kernel):
    """What ArgMax and ArgMin share."""

    dtype: DType

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Its type."""
        del op
        return signature.input(0).dtype is self.dtype

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """As [outer, extent, inner]."""
        del core
        assert isinstance(op, (ArgMax, ArgMin))
        params = CStruct("smg_arg_t", split_fields(signature.input(0).shape, op.axis))
        arguments = (InputArg(0), OutputArg(0))
        return KernelCall(self.name, "smg_arg.h", f"smg_{self.name}", params, arguments)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 6 instructions an element."""
        del op, core
        return Cost(6.0 * signature.input(0).elements)


def split_fields(shape: tuple[int, ...], axis: int) -> tuple[tuple[str, CValue], ...]:
    """A shape as [outer, extent, inner] around an axis."""
    return (
        ("outer", math.prod(shape[:axis])),
        ("extent", shape[axis]),
        ("inner", math.prod(shape[axis + 1 :])),
    )


class ArgMaxInt8(_ArgKernel):
    """Int8."""

    name, op, dtype = "argmax_s8", ArgMax, DType.INT8


class ArgMinInt8(_ArgKernel):
    """Int8."""

    name, op, dtype = "argmin_s8", ArgMin, DType.INT8


class ArgMaxFloat(_ArgKernel):
    """Floats."""

    name, op, dtype = "argmax_f32", ArgMax, DType.FLOAT32


class ArgMinFloat(_ArgKernel):
    """Floats."""

    name, op, dtype = "argmin_f32", ArgMin, DType.FLOAT32


class CumSumInt8(Kernel):
    """Int8, along any axis, either way."""

    name = "cumsum_s8"
    op = CumSum

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Quantised int8."""
        del op
        ends = (signature.input(0), signature.output)
        return all(t.dtype is DType.INT8 and t.quantization is not None for t in ends)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The fixed point of both ends."""
        del core
        assert isinstance(op, CumSum)
        x, output = signature.input(0), signature.output
        start, halved, factor = op.fixed_point(signature)
        fields: tuple[tuple[str, CValue], ...] = (
            ("walk", walk_struct(op, x.shape)),
            ("start", start),
            ("shift", CUMSUM_SHIFT),
            ("zero_point", x.quant.zero_point),
            ("mantissa", halved.mantissa),
            ("exponent", halved.shift),
            ("out_mantissa", factor.mantissa),
            ("out_shift", factor.shift),
            ("out_zero_point", output.quant.zero_point),
        )
        params = CStruct("smg_cumsum_s8_t", fields)
        arguments = (InputArg(0), OutputArg(0))
        return KernelCall(
            self.name, "smg_cumsum_s8.h", "smg_cumsum_s8", params, arguments, overlaps=_IN_PLACE
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 35 instructions an element."""
        del op, core
        return Cost(35.0 * signature.output.elements)


class CumSumFloat(Kernel):
    """Floats, along any axis, either way."""

    name = "cumsum_f32"
    op = CumSum

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Floats."""
        del op
        return signature.input(0).dtype is DType.FLOAT32

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The walk."""
        del core
        assert isinstance(op, CumSum)
        params = walk_struct(op, signature.input(0).shape)
        arguments = (InputArg(0), OutputArg(0))
        return KernelCall(
            self.name, "smg_cumsum_f32.h", "smg_cumsum_f32", params, arguments, overlaps=_IN_PLACE
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 10 instructions an element."""
        del op, core
        return Cost(10.0 * signature.output.elements)


def walk_struct(op: CumSum, shape: tuple[int, ...]) -> CStruct:
    """[outer, extent, inner], where each sum begins, and the step to its next element."""
    fields = split_fields(shape, op.axis)
    inner = math.prod(shape[op.axis + 1 :])
    first = (shape[op.axis] - 1) * inner if op.reverse else 0
    step = -inner if op.reverse else inner
    exclusive = 1 if op.exclusive else 0
    return CStruct(
        "smg_cumsum_t", (*fields, ("first", first), ("step", step), ("exclusive", exclusive))
    )


KERNELS: tuple[Kernel, ...] = (
    SelectCopy(),
    ArgMaxInt8(),
    ArgMinInt8(),
    ArgMaxFloat(),
    ArgMinFloat(),
    CumSumInt8(),
    CumSumFloat(),
)
