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
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.elementwise.unary import Neg, Sqrt, Square
from smidgen.ops.index.ops import Select

_OPS: Mapping[str, Callable[[], Op]] = {
    "Add": Add,
    "Sub": Sub,
    "Mul": Mul,
    "Div": Div,
    "Min": Minimum,
    "Max": Maximum,
    "And": LogicalAnd,
    "Or": LogicalOr,
    "Xor": lambda: Compare(Relation.NOT_EQUAL),
    "Equal": lambda: Compare(Relation.EQUAL),
    "Less": lambda: Compare(Relation.LESS),
    "LessOrEqual": lambda: Compare(Relation.LESS_EQUAL),
    "Greater": lambda: Compare(Relation.GREATER),
    "GreaterOrEqual": lambda: Compare(Relation.GREATER_EQUAL),
}
_COMPUTED = (DType.FLOAT32, DType.INT32)


def combine(call: Call, kind: str, a: Operand, b: Operand) -> Value:
    """`kind` of two operands, at least one of them an activation."""
    dtype = _common_dtype(call, a, b)
    if dtype is DType.FLOAT32:
        scaled = _as_affine(call, kind, a, b)
        if scaled is not None:
            return scaled
    elif kind in ("Add", "Sub", "Mul", "Div", "Min", "Max") and dtype not in _COMPUTED:
        call.refuse(f"its operands are {dtype.label}", "compute in float32 or int32")
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


def power(call: Call) -> Value:
    """X ** y for the constants y that need no logarithm: 1, 2, 3, 4, 0.5, -1, -0.5, -2."""
    x, exponents = call.real_value(0), call.constant(1, "exponent")
    exponent = float(exponents.reshape(-1)[0]) if exponents.size == 1 else math.nan
    squares = {2.0: 1, 4.0: 2}
    if exponent == 1.0:
        return x
    if exponent < 0:
        inner = x if exponent == -1.0 else _power(call, x, -exponent, squares)
        return combine(call, "Div", Constant(np.ones((), np.float32)), inner)
    return _power(call, x, exponent, squares)


def _power(call: Call, x: Value, exponent: float, squares: Mapping[float, int]) -> Value:
    if exponent == 0.5:
        return unary(call, Sqrt(), x)
    if exponent == 3.0:
        return combine(call, "Mul", unary(call, Square(), x), x)
    for _ in range(squares.get(exponent, 0)):
        x = unary(call, Square(), x)
    if exponent not in squares:
        call.refuse(f"exponent {exponent}", "use an exponent among 1, 2, 3, 4, 0.5, -0.5, -1, -2")
    return x


def unary(call: Call, op: Op, x: Value) -> Value:
    """`op` of each element; nothing moves."""
    return Value(call.emit(op, [x.tensor]), x.layout)


def negate(call: Call) -> Value:
    """-x."""
    return unary(call, Neg(), call.real_value(0))


def logical_not(call: Call) -> Value:
    """Whether it is false."""
    return unary(call, LogicalNot(), call.value(0))


def where(call: Call) -> Value:
    """Select; both choices have one type."""
    operands = tuple(call.operand(index) for index in range(3))
    choices = operands[1:]
    dtype = _common_dtype(call, *choices) if _has_value(choices) else DType.FLOAT32
    if all(isinstance(x, Constant) and x.values.dtype.kind in "iu" for x in choices):
        dtype = DType.INT32
    aligned = align(call, operands, (DType.BOOL, dtype, dtype))
    return Value(call.emit(Select(), aligned.tensors), aligned.layout)


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
    "Pow": power,
    "Neg": negate,
    "Not": logical_not,
    "Where": where,
}
