"""Kernels of the reductions."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
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
from smidgen.ops.reduce.ops import (
    Mean,
    ReduceAll,
    ReduceMax,
    ReduceMin,
    Sum,
    reduced_elements,
)
from smidgen.ops.shape.moves import row_major
from smidgen.targets.catalogue import Core

_LOOPS = 3
_Reduction = Mean | Sum | ReduceMax | ReduceMin | ReduceAll
Loops = list[tuple[int, int]]
"""Count and step of each loop, outermost first."""


def loops(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[Loops, Loops]:
    """The loops over what is kept and over what is reduced; neighbours of one sort are one loop."""
    found: tuple[Loops, Loops] = ([], [])
    for axis, (count, step) in enumerate(zip(shape, row_major(shape), strict=True)):
        side = found[1 if axis in axes else 0]
        if count == 1:
            continue
        if side and side[-1][1] == count * step:
            side[-1] = (side[-1][0] * count, step)
        else:
            side.append((count, step))
    return found


class _ReduceKernel(Kernel):
    """What all reductions share: up to three loops over outputs, and three over what is reduced."""

    dtype: DType

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Its type; shapes that three and three loops walk."""
        assert isinstance(op, _Reduction)
        x, y = signature.input(0), signature.output
        sides = loops(x.shape, op.axes)
        fits = all(len(side) <= _LOOPS for side in sides)
        return fits and x.dtype is self.dtype and y.dtype is self.dtype and y.elements > 0

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The loops, and what the reduction needs besides."""
        del core
        assert isinstance(op, _Reduction)
        kept, reduced = loops(signature.input(0).shape, op.axes)
        fields: tuple[tuple[str, CValue], ...] = (
            ("kept", _loops_struct(kept)),
            ("reduced", _loops_struct(reduced)),
            *self._fields(op, signature),
        )
        stem = f"smg_{self.name}"
        return KernelCall(
            self.name,
            f"{stem}.h",
            stem,
            CStruct(self._struct(), fields),
            (InputArg(0), OutputArg(0)),
            # An output lies no higher than the first input that it is made of.
            overlaps=(Overlap(0, 0),),
        )

    def _struct(self) -> str:
        return "smg_reduce_t"

    def _fields(self, op: Op, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        del op, signature
        return ()

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 5 instructions an input element and 30 an output element."""
        del op, core
        return Cost(5.0 * signature.input(0).elements + 30.0 * signature.output.elements)


def _loops_struct(side: Loops) -> CStruct:
    padded = [(1, 0)] * (_LOOPS - len(side)) + side
    fields: list[tuple[str, CValue]] = []
    for index, (count, step) in enumerate(padded):
        fields += [(f"count_{index}", count), (f"step_{index}", step)]
    return CStruct("smg_loops_t", tuple(fields))


class _SumKernel(_ReduceKernel):
    """Sums of quanta, requantised."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Quantised operands of its type."""
        ends = (signature.input(0), signature.output)
        return super().accepts(op, signature) and all(t.quantization is not None for t in ends)

    def _struct(self) -> str:
        return "smg_reduce_sum_t"

    def _fields(self, op: Op, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        assert isinstance(op, (Mean, Sum))
        x, factor = signature.input(0), op.factor(signature)
        # Modulo 2^32, as Micro's own accumulator wraps.
        offset = -x.quant.zero_point * reduced_elements(x.shape, op.axes)
        return (
            ("offset", (offset + (1 << 31)) % (1 << 32) - (1 << 31)),
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
            ("out_zero_point", signature.output.quant.zero_point),
        )


class _SumFloat(_ReduceKernel):
    """Sums of floats, divided."""

    name = "reduce_sum_f32"
    dtype = DType.FLOAT32

    def _struct(self) -> str:
        return "smg_reduce_sum_f32_t"

    def _fields(self, op: Op, signature: Signature) -> tuple[tuple[str, CValue], ...]:
        assert isinstance(op, (Mean, Sum))
        count = reduced_elements(signature.input(0).shape, op.axes)
        return (("divisor", float(op.divisor(count))),)


class MeanInt8(_SumKernel):
    """Any int8 mean."""

    name, op, dtype = "reduce_sum_s8", Mean, DType.INT8


class SumInt8(_SumKernel):
    """Any int8 sum."""

    name, op, dtype = "reduce_sum_s8", Sum, DType.INT8


class MeanInt16(_SumKernel):
    """Any int16 mean."""

    name, op, dtype = "reduce_sum_s16", Mean, DType.INT16


class SumInt16(_SumKernel):
    """Any int16 sum."""

    name, op, dtype = "reduce_sum_s16", Sum, DType.INT16


class MeanFloat(_SumFloat):
    """Any float mean."""

    op = Mean


class SumFloat(_SumFloat):
    """Any float sum."""

    op = Sum


class MaxInt8(_ReduceKernel):
    """Any int8 maximum."""

    name, op, dtype = "reduce_max_s8", ReduceMax, DType.INT8


class MinInt8(_ReduceKernel):
    """Any int8 minimum."""

    name, op, dtype = "reduce_min_s8", ReduceMin, DType.INT8


class MaxFloat(_ReduceKernel):
    """Any float maximum."""

    name, op, dtype = "reduce_max_f32", ReduceMax, DType.FLOAT32


class MinFloat(_ReduceKernel):
    """Any float minimum."""

    name, op, dtype = "reduce_min_f32", ReduceMin, DType.FLOAT32


class AllBool(_ReduceKernel):
    """Any conjunction."""

    name, op, dtype = "reduce_all_b8", ReduceAll, DType.BOOL


KERNELS: tuple[Kernel, ...] = (
    MeanInt8(),
    SumInt8(),
    MeanInt16(),
    SumInt16(),
    MeanFloat(),
    SumFloat(),
    MaxInt8(),
    MinInt8(),
    MaxFloat(),
    MinFloat(),
    AllBool(),
)
