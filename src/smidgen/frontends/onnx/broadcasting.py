"""Operands that broadcast are brought to one order in memory; constants for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call
from smidgen.frontends.onnx.scope import MAX_ACTIVATION_ELEMENTS, spread_constant
from smidgen.frontends.onnx.values import Operand, Value


@dataclass(frozen=True, slots=True)
class Aligned:
    """Tensors that broadcast in memory as the operands do in ONNX, and the result's layout."""

    tensors: tuple[str, ...]
    layout: Layout


def shape_of(operand: Operand) -> tuple[int, ...]:
    """The logical shape of an operand."""
    return operand.layout.shape if isinstance(operand, Value) else operand.shape


def broadcast_shape(call: Call, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that `shapes` have together; it may not exceed what an activation may."""
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        call.damaged(f"{' and '.join(str(list(each)) for each in shapes)} do not broadcast")
    if np.prod([float(extent) for extent in shape]) > MAX_ACTIVATION_ELEMENTS:
        call.refuse(f"its result has the shape {list(shape)}", "use a smaller model")
    return shape


def align(call: Call, operands: Sequence[Operand], dtypes: Sequence[DType | None]) -> Aligned:
    """All of `operands`, of which at least one is an activation; constants get their dtype.

    The activation that has the whole result's shape keeps its order in memory, the others follow.
    """
    shape = broadcast_shape(call, [shape_of(operand) for operand in operands])
    values = [operand for operand in operands if isinstance(operand, Value)]
    lead = next((value for value in values if value.layout.shape == shape), None)
    if lead is not None and all(_lie_alike(call, lead, value) for value in values):
        return _around(call, lead, operands, dtypes)
    if lead is not None and lead.layout.order() is None:
        views = [
            _view_like(lead.layout, x.layout) if isinstance(x, Value) else () for x in operands
        ]
        if None not in views:
            return _by_factors(call, lead, operands, views, dtypes)
    if lead is None or lead.layout.order() is None:
        order = tuple(range(len(shape)))
    else:
        order = lead.layout.order() or ()
    laid = [_laid(call, value, order) if isinstance(value, Value) else value for value in operands]
    layout = Layout.of(shape, order)
    tensors = [
        operand
        if isinstance(operand, str)
        else _constant(call, _in_order(operand.values, order), dtype)
        for operand, dtype in zip(laid, dtypes, strict=True)
    ]
    return Aligned(tuple(tensors), layout)


def _view_like(lead: Layout, other: Layout) -> tuple[int, ...] | None:
    """The shape under which `other` broadcasts over the factors of `lead`, or None for none."""
    missing = len(lead.axes) - len(other.axes)
    shape, order = [1] * len(lead.extents), []
    for factors, mine in zip(lead.axes[missing:], other.axes, strict=True):
        if not mine:
            continue
        wanted = [lead.extents[factor] for factor in factors]
        if [other.extents[factor] for factor in mine] != wanted:
            return None
        order += list(zip(mine, factors, strict=True))
        for factor, extent in zip(factors, wanted, strict=True):
            shape[factor] = extent
    places = [place for _, place in sorted(order)]
    return tuple(shape) if places == sorted(places) else None


def _by_factors(
    call: Call,
    lead: Value,
    operands: Sequence[Operand],
    views: Sequence[tuple[int, ...] | None],
    dtypes: Sequence[DType | None],
) -> Aligned:
    """Operands as they lie, with an axis for each factor of `lead`."""
    tensors = [
        call.scope.reshape(operand.tensor, view or ())
        if isinstance(operand, Value)
        else _constant(call, spread_constant(lead.layout, operand.values), dtype)
        for operand, view, dtype in zip(operands, views, dtypes, strict=True)
    ]
    return Aligned(tuple(tensors), lead.layout)


def _lie_alike(call: Call, lead: Value, value: Value) -> bool:
    same_tensor_shape = call.scope.shape(lead.tensor) == call.scope.shape(value.tensor)
    return value.layout == lead.layout and same_tensor_shape


def _around(
    call: Call, lead: Value, operands: Sequence[Operand], dtypes: Sequence[DType | None]
) -> Aligned:
    """Activations that lie alike stay untouched; constants take the shape that fits them."""
    shape, extents = call.scope.shape(lead.tensor), lead.layout.extents
    tensors: list[str] = []
    for operand, dtype in zip(operands, dtypes, strict=True):
        if isinstance(operand, Value):
            tensors.append(operand.tensor)
            continue
        spread = spread_constant(lead.layout, operand.values)
        tensors.append(_constant(call, with_idle_axes(spread, extents, shape), dtype))
    return Aligned(tuple(tensors), lead.layout)


def with_idle_axes(spread: Array, extents: Sequence[int], shape: Sequence[int]) -> Array:
    """A constant with an axis for each factor, as one that broadcasts over a tensor of `shape`.

    `shape` may have axes of extent 1 between the factors, and axes that are several of them.
    """
    if tuple(extent for extent in shape if extent != 1) == tuple(extents):
        kept = iter(spread.shape)
        return spread.reshape([1 if extent == 1 else next(kept) for extent in shape])
    if spread.size == 1:
        return spread.reshape((1,) * len(shape))
    return np.broadcast_to(spread, tuple(extents)).reshape(tuple(shape))


def _laid(call: Call, value: Value, order: Sequence[int]) -> str:
    """A tensor of `value`, which may have fewer axes than the result, in the result's order."""
    missing = len(order) - len(value.layout.axes)
    padded = Value(value.tensor, Layout(value.layout.extents, ((),) * missing + value.layout.axes))
    return call.scope.laid(padded, order)


def _in_order(values: Array, order: Sequence[int]) -> Array:
    padded = values.reshape((1,) * (len(order) - values.ndim) + values.shape)
    return padded.transpose(order)


def _constant(call: Call, values: Array, dtype: DType | None) -> str:
    return call.scope.constant(f"{call.stem}_constant", values, dtype or DType.FLOAT32)
