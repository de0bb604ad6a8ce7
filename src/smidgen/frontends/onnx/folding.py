"""Nodes whose inputs are all known at import are computed then: shapes, indices, weights.

Each function refuses results beyond `MAX_FOLDED_ELEMENTS`, so that a few bytes of a file cannot
ask for gigabytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.onnx.call import Call
from smidgen.frontends.onnx.elementwise import trilu_constant
from smidgen.frontends.onnx.narrow import NARROW_INTEGERS
from smidgen.frontends.onnx.shaping import (
    permutation,
    resolved_shape,
    slices,
    split_sizes,
    unsqueezed_shape,
)
from smidgen.frontends.onnx.tensors import numpy_type, require_roundable
from smidgen.frontends.onnx.values import Constant, Value

MAX_FOLDED_ELEMENTS = 1 << 24
_MAX_AXES = 16

Fold = Callable[[Call, Sequence[Array]], Array | tuple[Array, ...]]


def _checked(call: Call, shape: Sequence[int]) -> tuple[int, ...]:
    """`shape` if an array of it may be made."""
    if min(shape, default=0) < 0 or len(shape) > _MAX_AXES:
        call.damaged(f"a constant of the shape {list(shape)}")
    if math.prod(shape) > MAX_FOLDED_ELEMENTS:
        call.refuse(f"a constant of the shape {list(shape)}", "use a smaller model")
    return tuple(shape)


def _list(call: Call, values: Array) -> list[int]:
    if values.dtype.kind not in "iu" or values.ndim > 1:
        call.damaged("what should be a list of integers is not")
    return [int(number) for number in values.reshape(-1)]


def elementwise(function: Callable[..., Any], count: int = 2) -> Fold:
    """A NumPy function of `count` arrays that broadcast; of any number where it is 0."""

    def fold(call: Call, arrays: Sequence[Array]) -> Array:
        if count and len(arrays) != count:
            call.damaged(f"it has {len(arrays)} inputs, not {count}")
        try:
            _checked(call, np.broadcast_shapes(*(array.shape for array in arrays)))
        except ValueError:
            call.damaged("its constants do not broadcast")
        with np.errstate(all="ignore"):
            return np.asarray(function(*arrays))

    return fold


def _same_type(function: Callable[..., Any], count: int = 2) -> Fold:
    """As `elementwise`, in the type of the first operand."""
    plain = elementwise(function, count)

    def fold(call: Call, arrays: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(plain(call, arrays)).astype(arrays[0].dtype)

    return fold


def _divide(a: Array, b: Array) -> Array:
    """Integers truncate, and division by zero gives zero."""
    if a.dtype.kind not in "iu":
        return np.asarray(a / b)
    divisor = np.where(b == 0, 1, b)
    quotient = np.abs(a) // np.abs(divisor) * np.sign(a) * np.sign(divisor)
    return np.where(b == 0, 0, quotient)


def _cast(call: Call, arrays: Sequence[Array]) -> Array:
    element = call.attribute("to", 1)
    with np.errstate(all="ignore"):
        if element in NARROW_INTEGERS:
            return NARROW_INTEGERS[element].wrapped(arrays[0])
        return arrays[0].astype(numpy_type(require_roundable(element, call.place), call.place))


def _constant_of_shape(call: Call, arrays: Sequence[Array]) -> Array:
    value = call.node.attributes.get("value", np.zeros(1, np.float32))
    if not isinstance(value, np.ndarray) or value.size != 1:
        call.damaged("its value is no single number")
    return np.full(_checked(call, _list(call, arrays[0])), value.reshape(-1)[0])


def _reshape(call: Call, arrays: Sequence[Array]) -> Array:
    wanted = call.numbers("shape") or () if call.opset < 5 else _list(call, arrays[1])
    shape = resolved_shape(call, arrays[0].shape, wanted)
    if math.prod(shape) != arrays[0].size or len(shape) > _MAX_AXES:
        call.damaged(f"{list(arrays[0].shape)} does not hold the elements of {list(shape)}")
    return arrays[0].reshape(shape)


def _squeeze(call: Call, arrays: Sequence[Array]) -> Array:
    shape = arrays[0].shape
    axes = call.axes(1, len(shape))
    if axes is None:
        axes = tuple(axis for axis, extent in enumerate(shape) if extent == 1)
    if any(shape[axis] != 1 for axis in axes):
        call.damaged(f"it squeezes axes {axes} of {list(shape)}")
    return arrays[0].reshape([n for axis, n in enumerate(shape) if axis not in axes])


def _unsqueeze(call: Call, arrays: Sequence[Array]) -> Array:
    given = call.numbers("axes")
    axes = _list(call, arrays[1]) if given is None else given
    return arrays[0].reshape(_checked(call, unsqueezed_shape(call, arrays[0].shape, axes)))


def _flatten(call: Call, arrays: Sequence[Array]) -> Array:
    axis = call.attribute("axis", 1)
    rows = math.prod(arrays[0].shape[:axis])
    return arrays[0].reshape(rows, arrays[0].size // rows if rows else 0)


def _concat(call: Call, arrays: Sequence[Array]) -> Array:
    axis = call.axis(0, arrays[0].ndim)
    _checked(call, (sum(array.size for array in arrays),))
    try:
        return np.concatenate(arrays, axis)
    except ValueError:
        return call.damaged("its constants do not fit together")


def _gather(call: Call, arrays: Sequence[Array]) -> Array:
    data, positions = arrays[0], arrays[1]
    axis = call.axis(0, data.ndim)
    extent = data.shape[axis]
    _checked(call, (positions.size * (data.size // max(extent, 1)),))
    if positions.dtype.kind not in "iu" or np.any((positions < -extent) | (positions >= extent)):
        call.damaged(f"a position lies outside of an axis of {extent}")
    return np.take(data, positions, axis)


def _slice(call: Call, arrays: Sequence[Array]) -> Array:
    parts = slices(call, arrays[0].shape)
    chosen = []
    for (begin, size, stride), extent in zip(parts, arrays[0].shape, strict=True):
        chosen.append(np.arange(size) * stride + begin if extent else np.arange(0))
    return arrays[0][np.ix_(*chosen)] if chosen else arrays[0]


def _split(call: Call, arrays: Sequence[Array]) -> tuple[Array, ...]:
    axis = call.axis(0, arrays[0].ndim)
    sizes = split_sizes(call, arrays[0].shape[axis])
    return tuple(np.split(arrays[0], np.cumsum(sizes)[:-1], axis))


def _transpose(call: Call, arrays: Sequence[Array]) -> Array:
    return arrays[0].transpose(permutation(call, arrays[0].ndim))


def _expand(call: Call, arrays: Sequence[Array]) -> Array:
    wanted = _list(call, arrays[1])
    _checked(call, wanted)
    try:
        shape = np.broadcast_shapes(arrays[0].shape, tuple(wanted))
        return np.broadcast_to(arrays[0], _checked(call, shape))
    except ValueError:
        return call.damaged(f"{list(arrays[0].shape)} does not expand to {wanted}")


def _tile(call: Call, arrays: Sequence[Array]) -> Array:
    repeats = _list(call, arrays[1])
    if len(repeats) != arrays[0].ndim:
        call.damaged(f"{len(repeats)} repeats for {arrays[0].ndim} axes")
    _checked(call, [n * r for n, r in zip(arrays[0].shape, repeats, strict=True)])
    return np.tile(arrays[0], repeats)


def _range(call: Call, arrays: Sequence[Array]) -> Array:
    if any(arrays[index].size != 1 for index in range(3)):
        call.damaged("its start, limit or step is no single number")
    start, limit, step = (arrays[index].reshape(-1)[0] for index in range(3))
    if step == 0 or not all(np.isfinite(float(number)) for number in (start, limit, step)):
        call.damaged("its range has no end")
    count = max(0, math.ceil((float(limit) - float(start)) / float(step)))
    _checked(call, (count,))
    return np.asarray(start + np.arange(count) * step, arrays[0].dtype)


def _reduce(function: Callable[..., Any]) -> Fold:
    def fold(call: Call, arrays: Sequence[Array]) -> Array:
        axes = call.axes(1, arrays[0].ndim)
        if not axes and call.attribute("noop_with_empty_axes", 0):
            return arrays[0]
        keep = bool(call.attribute("keepdims", 1))
        if not arrays[0].size:
            call.damaged("it reduces an empty constant")
        reduced = function(arrays[0], axis=axes or None, keepdims=keep)
        return np.asarray(reduced, arrays[0].dtype)

    return fold


def _identity(call: Call, arrays: Sequence[Array]) -> Array:
    del call
    return arrays[0]


def _trilu(call: Call, arrays: Sequence[Array]) -> Array:
    if arrays[0].ndim < 2 or (len(arrays) > 1 and arrays[1].size != 1):
        call.damaged("its input is no matrix, or its diagonal no number")
    shift = int(arrays[1].reshape(-1)[0]) if len(arrays) > 1 else 0
    return trilu_constant(bool(call.attribute("upper", 1)), shift, arrays[0])


FOLDS: Mapping[str, Fold] = {
    "Add": _same_type(np.add),
    "Sub": _same_type(np.subtract),
    "Mul": _same_type(np.multiply),
    "Div": _same_type(_divide),
    "Mod": _same_type(lambda a, b: np.where(b == 0, 0, np.mod(a, np.where(b == 0, 1, b)))),
    "Min": _same_type(lambda *arrays: np.minimum.reduce(np.broadcast_arrays(*arrays)), 0),
    "Max": _same_type(lambda *arrays: np.maximum.reduce(np.broadcast_arrays(*arrays)), 0),
    "Pow": _same_type(lambda a, b: np.power(a.astype(np.float64), b)),
    "Neg": _same_type(np.negative, 1),
    "Abs": _same_type(np.abs, 1),
    "Sqrt": _same_type(np.sqrt, 1),
    "Exp": _same_type(np.exp, 1),
    "Log": _same_type(np.log, 1),
    "Reciprocal": _same_type(np.reciprocal, 1),
    "Floor": _same_type(np.floor, 1),
    "Ceil": _same_type(np.ceil, 1),
    "Round": _same_type(np.round, 1),
    "Relu": _same_type(lambda x: np.maximum(x, 0), 1),
    "Equal": elementwise(np.equal),
    "Less": elementwise(np.less),
    "LessOrEqual": elementwise(np.less_equal),
    "Greater": elementwise(np.greater),
    "GreaterOrEqual": elementwise(np.greater_equal),
    "And": elementwise(np.logical_and),
    "Or": elementwise(np.logical_or),
    "Not": elementwise(np.logical_not, 1),
    "Where": elementwise(np.where, 3),
    "Cast": _cast,
    "ConstantOfShape": _constant_of_shape,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Flatten": _flatten,
    "Concat": _concat,
    "Gather": _gather,
    "Slice": _slice,
    "Split": _split,
    "Transpose": _transpose,
    "Expand": _expand,
    "Tile": _tile,
    "Range": _range,
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "ReduceMean": _reduce(np.mean),
    "Trilu": _trilu,
    "Identity": _identity,
    "Dropout": _identity,
}
"""How each operator is computed on constants."""


def _turned_unit(call: Call, x: Constant) -> Array | None:
    if x.unit is None or x.unit.size == 1:
        return x.unit
    padded = x.unit.reshape((1,) * (x.values.ndim - x.unit.ndim) + x.unit.shape)
    return padded.transpose(permutation(call, x.values.ndim))


_UNIT_KEEPERS: Mapping[str, Callable[[Call, Constant], Array | None]] = {
    "Transpose": _turned_unit,
    "Identity": lambda _, x: x.unit,
    "Dropout": lambda _, x: x.unit,
}


class _Given(Sequence[Array]):
    """The arrays of a node; one that is asked for and not given makes the model damaged."""

    def __init__(self, call: Call, arrays: list[Array]) -> None:
        self._call, self._arrays = call, arrays

    def __len__(self) -> int:
        return len(self._arrays)

    def __iter__(self) -> Iterator[Array]:
        return iter(self._arrays)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and index >= len(self._arrays):
            self._call.damaged(f"input {index} is missing")
        return self._arrays[index]


def fold(call: Call) -> tuple[Constant, ...] | None:
    """The outputs of a node whose inputs are all known, or None where it must be lowered."""
    function = FOLDS.get(call.node.op_type)
    known = [operand for operand in call.operands if operand is not None]
    if function is None or call.node.domain or any(isinstance(x, Value) for x in known):
        return None
    constants = [operand for operand in known if isinstance(operand, Constant)]
    if not constants:
        return None
    made = function(call, _Given(call, [constant.values for constant in constants]))
    arrays = made if isinstance(made, tuple) else (made,)
    keeper = _UNIT_KEEPERS.get(call.node.op_type)
    unit = keeper(call, constants[0]) if keeper is not None else _single_unit(call, constants[0])
    return tuple(Constant(array, unit) for array in arrays)


_MOVERS = frozenset(("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Tile"))


def _single_unit(call: Call, x: Constant) -> Array | None:
    """The unit of a constant that is only moved, if it has one for all its numbers."""
    moved = call.node.op_type in _MOVERS and x.unit is not None and x.unit.size == 1
    return x.unit if moved else None


def constant_node(call: Call) -> Constant:
    """The array that a Constant node holds."""
    attributes = call.node.attributes
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        found = attributes.get(name)
        if isinstance(found, np.ndarray):
            return Constant(found)
        if found is not None and not isinstance(found, str):
            whole = name.startswith("value_int")
            return Constant(np.asarray(found, np.int64 if whole else np.float32))
    return call.refuse("a constant that is text or sparse", "store numbers densely")


def shape_node(call: Call) -> Constant:
    """The logical shape of the input, or a part of it."""
    x = call.operand(0)
    shape = x.layout.shape if isinstance(x, Value) else x.shape
    start, end = call.attribute("start", 0), call.attribute("end", len(shape))
    return Constant(np.array(shape[start:end], np.int64))


def size_node(call: Call) -> Constant:
    """The number of elements of the input."""
    x = call.operand(0)
    shape = x.layout.shape if isinstance(x, Value) else x.shape
    return Constant(np.asarray(math.prod(shape), np.int64))
