"""Broadcasting of two operands: its shape rule, and the walk that the C kernels make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.kernel import CArray, CStruct, CValue, Overlap
from smidgen.ops.support.operands import required

MAX_WALK_RANK = 7
"""Axes of the odometer in smg_binary.h, the row not counted."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How a kernel goes through two operands: rows, and an odometer over the axes around them.

    Neighbouring axes along which each operand either moves or stands still are one axis here, so
    that equal shapes are a single row.
    """

    row: int
    steps: tuple[int, int]
    extents: tuple[int, ...]
    strides: tuple[tuple[int, ...], tuple[int, ...]]

    @property
    def rows(self) -> int:
        """How many rows the output has."""
        count = 1
        for extent in self.extents:
            count *= extent
        return count

    def struct(self) -> CStruct:
        """The walk as a `smg_walk_t`."""
        fields: tuple[tuple[str, CValue], ...] = (
            ("rows", self.rows),
            ("row", self.row),
            ("a_step", self.steps[0]),
            ("b_step", self.steps[1]),
            ("rank", len(self.extents)),
            ("extents", _table(self.extents)),
            ("a_strides", _table(self.strides[0])),
            ("b_strides", _table(self.strides[1])),
        )
        return CStruct("smg_walk_t", fields)


def _table(values: tuple[int, ...]) -> CArray | None:
    return CArray(DType.INT32, np.array(values, np.int32)) if values else None


def walk_of(a: tuple[int, ...], b: tuple[int, ...], output: tuple[int, ...]) -> Walk:
    """The walk of operands of shapes `a` and `b`, which broadcast to `output`."""
    axes = _merged_axes(_padded(a, len(output)), _padded(b, len(output)), output)
    *outer, (row, *moves) = axes
    return Walk(
        row,
        (int(moves[0]), int(moves[1])),
        tuple(axis[0] for axis in outer),
        (_strides(axes, 1), _strides(axes, 2)),
    )


def _padded(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return (1,) * (rank - len(shape)) + shape


def _merged_axes(
    a: tuple[int, ...], b: tuple[int, ...], output: tuple[int, ...]
) -> list[tuple[int, bool, bool]]:
    """Extent, whether `a` moves, whether `b` moves; no two neighbours with the same answers."""
    merged: list[tuple[int, bool, bool]] = []
    for left, right, extent in zip(a, b, output, strict=True):
        if extent == 1:
            continue
        axis = (extent, left == extent, right == extent)
        if merged and merged[-1][1:] == axis[1:]:
            axis = (extent * merged.pop()[0], *axis[1:])
        merged.append(axis)
    return merged or [(1, True, True)]


def _strides(axes: Sequence[tuple[int, bool, bool]], operand: int) -> tuple[int, ...]:
    """Elements from one index to the next along each axis but the last; 0 where it stands still."""
    strides: list[int] = []
    inner = 1
    for axis in reversed(axes):
        strides.append(inner if axis[operand] else 0)
        inner *= axis[0] if axis[operand] else 1
    return tuple(reversed(strides[1:]))


def broadcast_shape(a: Tensor, b: Tensor) -> tuple[int, ...]:
    """The shape that both operands broadcast to; raises GraphError where they do not fit."""
    try:
        return np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise GraphError(
            f"operand {b.name!r}", f"{b.shape} does not broadcast against {a.shape}"
        ) from None


def operands(inputs: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
    """The two operands, which share a dtype; raises GraphError where they do not."""
    a, b = required(inputs, 2)
    if a.dtype is not b.dtype:
        raise GraphError(f"operand {b.name!r}", f"{b.dtype.label} against {a.dtype.label}")
    return a, b


def broadcast_type(inputs: Sequence[Tensor | None]) -> TensorType:
    """Dtype and broadcast shape of two operands; raises GraphError where they do not fit."""
    a, b = operands(inputs)
    return TensorType(a.dtype, broadcast_shape(a, b))


def elementwise_overlaps(signature: Signature, count: int) -> tuple[Overlap, ...]:
    """Which of the first `count` inputs the output may lie on, element by element and forwards.

    C lets pointers of one type share bytes, and lets 8-bit integers share with anything.
    """
    output = signature.output
    return tuple(
        Overlap(0, index, ahead=_ahead(signature.input(index), output))
        for index in range(count)
        if signature.input(index).elements == output.elements
        and _may_alias(signature.input(index).dtype, output.dtype)
    )


def _may_alias(a: DType, b: DType) -> bool:
    bytewise = {DType.INT8, DType.UINT8}
    return a is b or a in bytewise or b in bytewise


def _ahead(source: Tensor, output: Tensor) -> int:
    """The last distance at which element i of the output ends before element i + 1 is read."""
    gain = (source.dtype.value.bits - output.dtype.value.bits) // 8
    return gain if gain >= 0 else gain * max(output.elements - 1, 0)
