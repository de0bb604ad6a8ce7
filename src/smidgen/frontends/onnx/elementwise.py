"""Arithmetic, comparisons and choices, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.broadcasting import align, broadcast_shape, shape_of
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.scope import spread_constant
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.graph.op import Op
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.elementwise.arithmetic import Div, Mul, Sub
from smidgen.ops.elementwise.comparison import (
    Compare,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    Relation,
)
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.modulo import FloorMod
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.elementwise.unary import Abs, Neg
from smidgen.ops.index.ops import Select
from smidgen.ops.quantization.ops import Cast

_OPS: Mapping[str, Callable[[], Op]] = {
    "Add": Add,
    "Sub": Sub,
    "Mul": Mul,
    "Div": Div,
    "Min": Minimum,
    "Max": Maximum,
    "Mod": FloorMod,
    "And": LogicalAnd,
    "Or": LogicalOr,
    "Xor": lambda: Compare(Relation.NOT_EQUAL),
    "Equal": lambda: Compare(Relation.EQUAL),
    "Less": lambda: Compare(Relation.LESS),
    "LessOrEqual": lambda: Compare(Relation.LESS_EQUAL),
    "Greater": lambda: Compare(Relation.GREATER),
    "GreaterOrEqual": lambda: Compare(Relation.GREATER_EQUAL),
}
_ARITHMETIC = frozenset(("Add", "Sub", "Mul", "Div", "Mod"))
_SHORT = (DType.INT8, DType.UINT8, DType.INT16, DType.UINT16)
"""Integers whose arithmetic is done in int32 and wraps afterwards."""


def combine(call: Call, kind: str, a: Operand, b: Operand) -> Value:
    """`kind` of two operands, at least one of them an activation."""
    dtype = _common_dtype(call, a, b)
    if dtype is DType.FLOAT32:
        scaled = _as_affine(call, kind, a, b)
        if scaled is not None:
            return scaled
    elif kind in _ARITHMETIC and dtype in _SHORT:
        wide = [converted(call, x, DType.INT32) if isinstance(x, Value) else x for x in (a, b)]
        return converted(call, combine(call, kind, *wide), dtype)
    elif kind in (*_ARITHMETIC, "Min", "Max") and dtype is DType.BOOL:
        call.refuse("its operands are bool", "cast them to int32 first")
    aligned = align(call, (a, b), (dtype, dtype))
    return Value(call.emit(_OPS[kind](), aligned.tensors), aligned.layout)


def _common_dtype(call: Call, *operands: Operand) -> DType:
    """The element type of the activations among `operands`, which must be one."""
    found = {call.scope.dtype(x) for x in operands if isinstance(x, Value)}
    quantized = any(
        call.scope.builder.tensor(x.tensor).quantization for x in operands if isinstance(x, Value)
    )
    if len(found) != 1 or quantized:
        call.refuse(
            "its operands are quanta, or of different types",
            "compute in float32, or between DequantizeLinear and QuantizeLinear",
        )
    return found.pop()


def _as_affine(call: Call, kind: str, a: Operand, b: Operand) -> Value | None:
    """A constant added to or multiplied with an activation that is as large; None for all else."""
    x, constant = (a, b) if isinstance(a, Value) else (b, a)
    if not isinstance(x, Value) or not isinstance(constant, Constant):
        return None
    if broadcast_shape(call, (shape_of(a), shape_of(b))) != x.layout.shape:
        return None
    factors = _factors(kind, constant.values.astype(np.float64), reverse=x is b)
    return None if factors is None else affine(call, x, *factors)


def _factors(kind: str, number: Array, reverse: bool) -> tuple[Array, Array] | None:
    """The scale and shift that `kind` by a constant is; `reverse` has it on the left-hand side."""
    one, zero = np.ones(()), np.zeros(())
    if kind == "Add":
        return one, number
    if kind == "Sub":
        return (-one, number) if reverse else (one, -number)
    if kind == "Mul":
        return number, zero
    if kind == "Div" and not reverse and np.all(number != 0.0):
        return 1.0 / number, zero
    return None


def affine(call: Call, x: Value, scale: Array, shift: Array) -> Value | None:
    """Scale * x + shift, where both have at most a number for each slot of the innermost axis.

    It becomes a 1x1 DepthwiseConv2D, which is folded into its neighbours later on; None where a
    constant varies elsewhere.
    """
    if broadcast_shape(call, (scale.shape, shift.shape, x.layout.shape)) != x.layout.shape:
        call.damaged(f"its constants do not fit {list(x.layout.shape)}")
    shape = call.scope.shape(x.tensor)
    channels = shape[-1] if shape else 1
    scales, shifts = (_innermost(x, values, channels) for values in (scale, shift))
    if scales is None or shifts is None:
        return None
    if np.all(scales == 1.0) and np.all(shifts == 0.0):
        return x
    elements = math.prod(shape)
    image = (
        (1, *shape[1:3], channels) if len(shape) == 4 else (1, elements // channels, 1, channels)
    )
    view = call.scope.reshape(x.tensor, (shape[0], *image[1:]) if len(shape) == 4 else image)
    constants = {"weights": scales.reshape(1, 1, 1, -1), "bias": shifts}
    return Value(call.emit(DepthwiseConv2D(), [view], constants), x.layout)


def _innermost(x: Value, values: Array, channels: int) -> Array | None:
    """A constant as one number for each slot of a tensor's last axis, or None."""
    spread = spread_constant(x.layout, values)
    if spread.size == 1:
        return np.broadcast_to(spread.reshape(-1), (channels,))
    extents, inner, first = x.layout.extents, 1, len(x.layout.extents)
    while first and inner < channels:
        first -= 1
        inner *= extents[first]
    if inner != channels or any(extent != 1 for extent in spread.shape[:first]):
        return None
    return np.broadcast_to(spread, (*[1] * first, *extents[first:])).reshape(-1)


def binary(kind: str) -> Lowering:
    """The lowering of a node of two operands."""

    def lower(call: Call) -> Value:
        return combine(call, kind, call.operand(0), call.operand(1))

    return lower


def folded(kind: str) -> Lowering:
    """The lowering of a node of any number of operands, one after the other."""

    def lower(call: Call) -> Value:
        operands = [call.operand(index) for index in range(max(1, len(call.operands)))]
        operands.sort(key=lambda operand: isinstance(operand, Constant))
        return call.scope.as_value(
            reduce(lambda a, b: combine(call, kind, a, b), operands), call.stem
        )

    return lower


def mean_of(call: Call) -> Value:
    """The mean of all operands."""
    total = folded("Add")(call)
    assert isinstance(total, Value)
    share = Constant(np.asarray(1.0 / len(call.operands), np.float32))
    return combine(call, "Mul", total, share)


def unary(call: Call, op: Op, x: Value) -> Value:
    """`op` of each element; nothing moves."""
    return Value(call.emit(op, [x.tensor]), x.layout)


def converted(call: Call, x: Value, wanted: DType) -> Value:
    """`x` as numbers of type `wanted`."""
    source = call.scope.builder.tensor(x.tensor)
    if source.quantization is not None:
        call.refuse("quanta are taken for numbers", "dequantise them first")
    return x if source.dtype is wanted else unary(call, Cast(wanted), x)


def modulo(call: Call) -> Value:
    """The remainder, with the sign of the divisor, or with `fmod` that of the dividend."""
    a, b = call.operand(0), call.operand(1)
    if not call.attribute("fmod", 0):
        return combine(call, "Mod", a, b)
    if _common_dtype(call, a, b) is not DType.FLOAT32:
        whole = combine(call, "Div", a, b)
        return combine(call, "Sub", a, combine(call, "Mul", whole, b))
    dividend = call.scope.as_value(a, call.stem)
    magnitudes = (unary(call, Abs(), call.scope.as_value(x, call.stem)) for x in (a, b))
    remainder = combine(call, "Mod", *magnitudes)
    negative = combine(call, "Less", dividend, Constant(np.zeros((), np.float32)))
    return choose(call, negative, unary(call, Neg(), remainder), remainder)


def choose(call: Call, condition: Operand, first: Operand, second: Operand) -> Value:
    """`first` where `condition` holds, else `second`; both choices have one type."""
    choices = (first, second)
    dtype = _common_dtype(call, *choices) if _has_value(choices) else DType.FLOAT32
    if all(isinstance(x, Constant) and x.values.dtype.kind in "iu" for x in choices):
        dtype = DType.INT32
    aligned = align(call, (condition, first, second), (DType.BOOL, dtype, dtype))
    return Value(call.emit(Select(), aligned.tensors), aligned.layout)


def negate(call: Call) -> Value:
    """-x."""
    return unary(call, Neg(), call.real_value(0))


def logical_not(call: Call) -> Value:
    """Whether it is false."""
    return unary(call, LogicalNot(), call.value(0))


def where(call: Call) -> Value:
    """Select."""
    return choose(call, call.operand(0), call.operand(1), call.operand(2))


def sign(call: Call) -> Value:
    """1 above zero, -1 below, else 0."""
    x = call.value(0)
    zero = Constant(np.zeros((), call.scope.dtype(x).numpy))
    above, below = (combine(call, kind, x, zero) for kind in ("Greater", "Less"))
    dtype = call.scope.dtype(x)
    return combine(call, "Sub", *(converted(call, each, dtype) for each in (above, below)))


def triangle(call: Call) -> Value:
    """The lower or upper triangle of matrices; zero elsewhere."""
    x = call.value(0)
    if len(x.layout.axes) < 2:
        call.damaged("its input is no matrix")
    shift = int(call.constant(1, "diagonal").reshape(-1)[0]) if call.optional(1) else 0
    kept = _in_triangle(x.layout.shape[-2:], shift, bool(call.attribute("upper", 1)))
    return choose(call, Constant(kept), x, Constant(np.zeros((), call.scope.dtype(x).numpy)))


def _in_triangle(shape: tuple[int, ...], shift: int, upper: bool) -> Array:
    return np.triu(np.ones(shape, bool), shift) if upper else np.tril(np.ones(shape, bool), shift)


def trilu_constant(upper: bool, shift: int, values: Array) -> Array:
    """The same of a constant."""
    return np.where(_in_triangle(values.shape[-2:], shift, upper), values, 0).astype(values.dtype)


def _has_value(operands: tuple[Operand, ...]) -> bool:
    return any(isinstance(operand, Value) for operand in operands)


ELEMENTWISE: Mapping[str, Lowering] = {
    **{
        kind: binary(kind)
        for kind in (
            *("Add", "Sub", "Mul", "Div", "And", "Or", "Xor"),
            *("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"),
        )
    },
    "Min": folded("Min"),
    "Max": folded("Max"),
    "Sum": folded("Add"),
    "Mean": mean_of,
    "Neg": negate,
    "Not": logical_not,
    "Mod": modulo,
    "Where": where,
    "Trilu": triangle,
    "Sign": sign,
}
