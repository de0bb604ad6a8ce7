"""One element of many: OneHot, Hardmax and EyeLike, by comparing positions."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.broadcasting import shape_of
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import choose, combine, converted
from smidgen.frontends.onnx.scope import MAX_ACTIVATION_ELEMENTS
from smidgen.frontends.onnx.shaping import reshaped
from smidgen.frontends.onnx.tensors import numpy_type
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.ops.index.ops import ArgMax


def one_hot(call: Call) -> Value:
    """A new axis along which one element is on: the one that the input names, from either end."""
    positions = call.value(0)
    if call.scope.dtype(positions) is not DType.INT64:
        positions = converted(call, positions, DType.INT32)
    off, on = _off_and_on(call)
    depth = _depth(call)
    shape = list(positions.layout.shape)
    axis = call.axis(-1, len(shape) + 1)
    wide = reshaped(call, positions, (*shape[:axis], 1, *shape[axis:]))
    places = np.arange(depth).reshape(-1, *[1] * (len(shape) - axis))
    from_front, from_end = (_equal(call, wide, each) for each in (places, places - depth))
    return choose(call, combine(call, "Or", from_front, from_end), on, off)


def _depth(call: Call) -> int:
    """Input 1, how long the new axis is."""
    given = call.constant(1, "depth")
    depth = int(given.reshape(-1)[0]) if given.size == 1 else 0
    if not 0 < depth <= MAX_ACTIVATION_ELEMENTS:
        call.refuse(f"a depth of {given.tolist()}", "use one from 1 on that fits in memory")
    return depth


def _off_and_on(call: Call) -> tuple[Constant, Constant]:
    values = call.constant(2, "values")
    if values.shape != (2,) or values.dtype == np.bool_:
        call.refuse(f"values {list(values.shape)} of {values.dtype}", "give two numbers")
    if values.dtype.kind not in "iu":
        values = values.astype(np.float32)
    off, on = (Constant(value.reshape(())) for value in values)
    return off, on


def _equal(call: Call, positions: Value, places: Array) -> Value:
    dtype = call.scope.dtype(positions).numpy
    return combine(call, "Equal", positions, Constant(places.astype(dtype)))


def hardmax(call: Call) -> Value:
    """1 where the first of the largest along an axis is, else 0; once over all axes from it on."""
    x = call.real_value(0)
    shape = x.layout.shape
    axis = call.axis(-1 if call.opset >= 13 else 1, len(shape))
    if call.opset >= 13:
        return _largest(call, x, axis)
    rows = (math.prod(shape[:axis]), math.prod(shape[axis:]))
    return reshaped(call, _largest(call, reshaped(call, x, rows), 1), shape)


def _largest(call: Call, x: Value, axis: int) -> Value:
    """1 at the first of the largest elements along `axis`, else 0."""
    value, order = call.scope.orderly(x)
    shape = list(value.layout.shape)
    found = call.emit(ArgMax(order.index(axis)), [call.scope.laid(value, order)])
    places = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - axis - 1))
    shape[axis] = 1
    hit = _equal(call, Value(found, Layout.of(shape, order)), places)
    return converted(call, hit, DType.FLOAT32)


def eye_like(call: Call) -> Constant:
    """Ones on a diagonal of a matrix as large as the input; of its type if no other is given."""
    like, shift = call.operand(0), call.attribute("k", 0)
    shape, element = shape_of(like), call.attribute("dtype", 0)
    if len(shape) != 2 or math.prod(shape) > MAX_ACTIVATION_ELEMENTS:
        call.refuse(f"a diagonal of {list(shape)}", "use a matrix that fits in memory")
    if element:
        dtype = numpy_type(element, call.place)
    else:
        dtype = like.values.dtype if isinstance(like, Constant) else call.scope.dtype(like).numpy
    ahead = np.arange(shape[1]) - np.arange(shape[0])[:, np.newaxis]
    return Constant((ahead == shift).astype(dtype))


ONE_HOT: Mapping[str, Lowering] = {
    "OneHot": one_hot,
    "Hardmax": hardmax,
    "EyeLike": eye_like,
}
