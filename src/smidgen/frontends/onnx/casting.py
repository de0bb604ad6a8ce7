"""Cast: numbers as another type."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import combine, converted
from smidgen.frontends.onnx.narrow import NARROW_INTEGERS, NarrowInteger
from smidgen.frontends.onnx.tensors import dtype_of, require_roundable
from smidgen.frontends.onnx.values import Constant, Operand, Value


def cast(call: Call) -> Operand:
    """Another type; between floating-point types nothing, because all are float32 here."""
    return _to_element(call, call.attribute("to", 1))


def _to_element(call: Call, element: int) -> Operand:
    require_roundable(element, call.place)
    if element in NARROW_INTEGERS:
        return _narrowed(call, element)
    return _to(call, dtype_of(element, call.place))


def cast_like(call: Call) -> Operand:
    """The type of the second input."""
    like = call.operand(1)
    if isinstance(like, Constant):
        if like.element:
            return _to_element(call, like.element)
        return _to(call, _dtype_like(call, like))
    if like.tensor in call.scope.elements:
        return _to_element(call, call.scope.elements[like.tensor])
    if call.scope.elements:
        call.refuse("the exact type of its second input is not known", "use Cast")
    return _to(call, call.scope.dtype(like))


def _dtype_like(call: Call, like: Constant) -> DType:
    """The type of activations that a constant's type stands for."""
    if like.values.dtype.kind == "f":
        return DType.FLOAT32
    wide = (DType.INT32, DType.INT64, DType.BOOL)  # four bits are read as eight
    found = next((dtype for dtype in wide if dtype.numpy == like.values.dtype), None)
    return found or call.refuse(f"type {like.values.dtype}", "cast to float32 or an integer type")


def _to(call: Call, wanted: DType) -> Operand:
    return converted(call, call.value(0), wanted)


def _narrowed(call: Call, element: int) -> Operand:
    """Whole numbers that wrap at fewer than 8 bits."""
    kind = NARROW_INTEGERS[element]
    x = call.value(0)
    if call.scope.elements.get(x.tensor) != element:
        x = _wrapped(call, converted(call, x, DType.INT32), kind)
        call.scope.elements[x.tensor] = element
    return x


def _wrapped(call: Call, x: Value, kind: NarrowInteger) -> Value:
    start, period = (
        Constant(np.asarray(number, np.int32)) for number in (1 << (kind.bits - 1), 1 << kind.bits)
    )
    if kind.signed:
        x = combine(call, "Add", x, start)
    x = combine(call, "Mod", x, period)
    if kind.signed:
        x = combine(call, "Sub", x, start)
    return converted(call, x, DType.INT8 if kind.signed else DType.UINT8)


CASTS: Mapping[str, Lowering] = {"Cast": cast, "CastLike": cast_like}
