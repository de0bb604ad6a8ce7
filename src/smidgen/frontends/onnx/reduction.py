"""Reductions along axes, and where extremes are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import combine, unary
from smidgen.frontends.onnx.shaping import joined, piece
from smidgen.frontends.onnx.values import Value
from smidgen.graph.op import Op
from smidgen.ops.elementwise.arithmetic import Sub
from smidgen.ops.elementwise.comparison import LogicalNot
from smidgen.ops.elementwise.unary import Abs, Exp, Log, Sqrt, Square
from smidgen.ops.index.ops import ArgMax, ArgMin, CumSum
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.reduce.ops import Mean, ReduceAll, ReduceMax, ReduceMin, Sum
from smidgen.ops.shape.slicing import Slice

_Reduction = type[Mean] | type[Sum] | type[ReduceMax] | type[ReduceMin] | type[ReduceAll]
_POOLS: Mapping[_Reduction, type[AveragePool2D] | type[MaxPool2D]] = {
    Mean: AveragePool2D,
    ReduceMax: MaxPool2D,
}


def reduction(
    kind: _Reduction, before: Callable[[], Op] | None = None, after: Callable[[], Op] | None = None
) -> Lowering:
    """The lowering of a node that reduces along axes: `after` of the reduction of `before`."""

    def lower(call: Call) -> Value:
        x = call.value(0)
        axes = _axes(call, len(x.layout.axes))
        if kind in (ReduceMax, ReduceMin) and call.scope.dtype(x) is not DType.FLOAT32:
            return _extreme_of_others(call, x, axes, kind)
        x = call.real_value(0)
        if before is not None:
            x = unary(call, before(), x)
        reduced = reduce_axes(call, x, axes, kind, bool(call.attribute("keepdims", 1)))
        return reduced if after is None else unary(call, after(), reduced)

    return lower


def _extreme_of_others(call: Call, x: Value, axes: tuple[int, ...], kind: _Reduction) -> Value:
    """Of integers by halves; of bool whether all are true, or not all false."""
    keep = bool(call.attribute("keepdims", 1))
    if call.scope.dtype(x) is not DType.BOOL:
        return by_halves(call, x, axes, "Max" if kind is ReduceMax else "Min", keep)
    if kind is ReduceMin:
        return reduce_axes(call, x, axes, ReduceAll, keep)
    none = reduce_axes(call, unary(call, LogicalNot(), x), axes, ReduceAll, keep)
    return unary(call, LogicalNot(), none)


def by_halves(call: Call, x: Value, axes: tuple[int, ...], kind: str, keep: bool) -> Value:
    """`kind`, an operator of two, over all elements along `axes`: the halves, their halves ..."""
    for axis in axes:
        while (extent := x.layout.shape[axis]) > 1:
            half = extent // 2
            halves = (piece(call, x, axis, start, half) for start in (0, half))
            rest = piece(call, x, axis, extent - 1, 1) if extent % 2 else None
            x = combine(call, kind, *halves)
            x = x if rest is None else _with_rest(call, kind, x, rest, axis)
    shape = [n for axis, n in enumerate(x.layout.shape) if keep or axis not in axes]
    return Value(x.tensor, x.layout.reshaped(shape))


def _with_rest(call: Call, kind: str, x: Value, rest: Value, axis: int) -> Value:
    """`x`, along `axis` combined with one element more in its first place."""
    first = combine(call, kind, piece(call, x, axis, 0, 1), rest)
    others = x.layout.shape[axis] - 1
    return first if not others else joined(call, [first, piece(call, x, axis, 1, others)], axis)


def product_of(call: Call) -> Value:
    """The product along axes."""
    x = call.value(0)
    axes = _axes(call, len(x.layout.axes))
    return by_halves(call, x, axes, "Mul", bool(call.attribute("keepdims", 1)))


def _axes(call: Call, rank: int) -> tuple[int, ...]:
    given = call.axes(1, rank)
    if not given:
        empty = call.attribute("noop_with_empty_axes", 0)
        return () if empty else tuple(range(rank))
    return given


def reduce_axes(call: Call, x: Value, axes: tuple[int, ...], kind: _Reduction, keep: bool) -> Value:
    """`x` reduced along logical `axes`; a pool where these are the rows and columns of an image."""
    if 0 in x.layout.shape:
        call.refuse("it reduces an empty tensor", "leave it out")
    order = x.layout.order()
    if order is None:
        return _reduce_factors(call, x, axes, kind, keep)
    places = tuple(sorted(order.index(axis) for axis in set(axes)))
    shape = tuple(1 if axis in axes else extent for axis, extent in enumerate(x.layout.shape))
    tensor = call.scope.laid(x, order)
    if kind in _POOLS and len(order) in (3, 4) and places == tuple(range(1, len(order) - 1)):
        image = call.four_axes(tensor)
        window = call.scope.shape(image)[1:3]
        emitted = call.emit(_POOLS[kind]((window[0], window[1]), (window[0], window[1])), [image])
    elif places:
        emitted = call.emit(kind(places, keep_dims=True), [tensor])
    else:
        emitted = tensor
    layout = Layout.of(shape, order)
    kept = tuple(axis for axis in range(len(shape)) if keep or axis not in axes)
    return Value(emitted, Layout(layout.extents, tuple(layout.axes[axis] for axis in kept)))


def _reduce_factors(
    call: Call, x: Value, axes: tuple[int, ...], kind: _Reduction, keep: bool
) -> Value:
    """`x`, whose axes cut through each other in memory, reduced where they lie."""
    layout = x.layout
    gone = sorted(factor for axis in set(axes) for factor in layout.axes[axis])
    tensor = call.scope.reshape(x.tensor, layout.extents)
    emitted = call.emit(kind(tuple(gone), keep_dims=True), [tensor]) if gone else tensor
    left = [factor for factor in range(len(layout.extents)) if factor not in gone]
    kept = tuple(
        tuple(left.index(factor) for factor in factors if factor not in gone)
        for axis, factors in enumerate(layout.axes)
        if keep or axis not in axes
    )
    return Value(emitted, Layout(tuple(layout.extents[factor] for factor in left), kept))


def arg_extreme(kind: type[ArgMax] | type[ArgMin]) -> Lowering:
    """The lowering of a node that finds the index of an extreme, as int32."""

    def lower(call: Call) -> Value:
        x, rank = call.real_value(0), len(call.value(0).layout.axes)
        axis = call.axis(0, rank)
        value, order = call.scope.orderly(x)
        tensor, place = call.scope.laid(value, order), order.index(axis)
        if call.attribute("select_last_index", 0):
            emitted = _from_end(call, kind(place), tensor)
        else:
            emitted = call.emit(kind(place), [tensor])
        shape = tuple(1 if a == axis else n for a, n in enumerate(x.layout.shape))
        layout = Layout.of(shape, order)
        keep = bool(call.attribute("keepdims", 1))
        kept = tuple(a for a in range(rank) if keep or a != axis)
        return Value(emitted, Layout(layout.extents, tuple(layout.axes[a] for a in kept)))

    return lower


def _from_end(call: Call, op: ArgMax | ArgMin, tensor: str) -> str:
    """The last of equal extremes: the first from the end."""
    extent = call.scope.shape(tensor)[op.axis]
    index = call.emit(op, [reversed_along(call, tensor, op.axis)])
    last = call.scope.constant(f"{call.stem}_last", np.array([extent - 1]), DType.INT32)
    return call.emit(Sub(), [last, index])


def cumulative_sum(call: Call) -> Value:
    """Running sums along an axis."""
    x = call.value(0)
    axis, exclusive, reverse = _running(call, len(x.layout.axes))
    if call.scope.dtype(x) is not DType.FLOAT32:
        return _doubled(call, "Add", x)
    value, order = call.scope.orderly(x)
    op = CumSum(order.index(axis), exclusive, reverse)
    emitted = call.emit(op, [call.scope.laid(value, order)])
    return Value(emitted, Layout.of(x.layout.shape, order))


def cumulative_product(call: Call) -> Value:
    """Running products along an axis."""
    return _doubled(call, "Mul", call.value(0))


def _running(call: Call, rank: int) -> tuple[int, bool, bool]:
    """Along which axis, without the element itself, and from the end."""
    given = call.integers(1, "axis")
    if len(given) != 1:
        call.damaged(f"it runs along {len(given)} axes")
    exclusive, reverse = (bool(call.attribute(name, 0)) for name in ("exclusive", "reverse"))
    return call.axis_of(given[0], rank), exclusive, reverse


def _doubled(call: Call, kind: str, x: Value) -> Value:
    """`kind` of all before by doubling: each element with that 1, 2, 4 ... places before it."""
    axis, exclusive, reverse = _running(call, len(x.layout.axes))
    idle, extent, distance = int(kind == "Mul"), x.layout.shape[axis], 1
    if exclusive:
        x = _shifted(call, x, axis, 1, reverse, idle)
    while distance < extent:
        x = combine(call, kind, x, _shifted(call, x, axis, distance, reverse, idle))
        distance *= 2
    return x


def _shifted(call: Call, x: Value, axis: int, count: int, back: bool, fill: int) -> Value:
    """`x` moved by `count` along `axis`, and `fill` behind it."""
    shape = list(x.layout.shape)
    behind = np.full([count if a == axis else n for a, n in enumerate(shape)], fill)
    kept = shape[axis] - count
    filled = call.scope.constant(f"{call.stem}_filled", behind, call.scope.dtype(x))
    empty = Value(filled, Layout.of(behind.shape))
    if kept < 1:
        return empty
    rest = piece(call, x, axis, count if back else 0, kept)
    return joined(call, [rest, empty] if back else [empty, rest], axis)


def reversed_along(call: Call, tensor: str, axis: int) -> str:
    """`tensor` with a physical axis from its end to its start."""
    shape = call.scope.shape(tensor)
    begin = tuple(n - 1 if a == axis else 0 for a, n in enumerate(shape))
    stride = tuple(-1 if a == axis else 1 for a in range(len(shape)))
    return call.moved(Slice(begin, shape, stride), tensor)


REDUCTIONS: Mapping[str, Lowering] = {
    "ReduceMean": reduction(Mean),
    "ReduceSum": reduction(Sum),
    "ReduceMax": reduction(ReduceMax),
    "ReduceMin": reduction(ReduceMin),
    "ReduceProd": product_of,
    "ReduceL1": reduction(Sum, Abs),
    "ReduceL2": reduction(Sum, Square, Sqrt),
    "ReduceSumSquare": reduction(Sum, Square),
    "ReduceLogSum": reduction(Sum, None, Log),
    "ReduceLogSumExp": reduction(Sum, Exp, Log),
    "ArgMax": arg_extreme(ArgMax),
    "ArgMin": arg_extreme(ArgMin),
    "CumSum": cumulative_sum,
    "CumProd": cumulative_product,
}
