"""Gemm and MatMul: by a constant matrix a Dense, of two activations a BatchMatMul."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.elementwise import combine
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.ops.dense.ops import Dense
from smidgen.ops.matmul.ops import BatchMatMul


def gemm(call: Call) -> Value:
    """Alpha * A' B' + beta * C."""
    a, b = (_turned(call, call.operand(i), name) for i, name in ((0, "transA"), (1, "transB")))
    if len(_shape(a)) != 2 or len(_shape(b)) != 2 or _shape(a)[1] != _shape(b)[0]:
        call.damaged(f"it multiplies {_shape(a)} by {_shape(b)}")
    alpha, beta = call.real("alpha", 1.0), call.real("beta", 1.0)
    addend = call.optional(2)
    bias = None
    if isinstance(addend, Constant):
        bias = _bias(addend.values * beta if beta != 1.0 else addend.values, _shape(b)[1])
    if isinstance(b, Constant) and isinstance(a, Value):
        product = dense(call, a, _scaled(b, alpha), bias)
    else:
        bias = None
        product = multiply(call, a, b)
        if alpha != 1.0:
            product = combine(call, "Mul", product, Constant(np.asarray(alpha, np.float32)))
    if addend is None or bias is not None:
        return product
    if beta != 1.0:
        addend = _times(call, addend, beta)
    return combine(call, "Add", product, addend)


def _times(call: Call, operand: Operand, factor: float) -> Operand:
    if isinstance(operand, Constant):
        return Constant(operand.values * factor)
    return combine(call, "Mul", operand, Constant(np.asarray(factor, np.float32)))


def _bias(values: Array, outputs: int) -> Array | None:
    """`values` as one number an output, or None where they vary over the rows."""
    if values.size == outputs and values.shape[-1:] == (outputs,):
        return values.reshape(-1)
    return np.full(outputs, values.reshape(-1)[0]) if values.size == 1 else None


def _scaled(matrix: Constant, factor: float) -> Constant:
    if factor == 1.0:
        return matrix
    unit = None if matrix.unit is None else matrix.unit * factor
    return Constant(matrix.values * factor, unit)


def _turned(call: Call, operand: Operand, attribute: str) -> Operand:
    """`operand`, transposed if the attribute says so."""
    return transpose_last(operand) if call.attribute(attribute, 0) else operand


def transpose_last(operand: Operand) -> Operand:
    """`operand` with its last two axes exchanged; nothing moves."""
    if isinstance(operand, Value):
        rank = len(operand.layout.axes)
        order = (*range(rank - 2), rank - 1, rank - 2)
        return Value(operand.tensor, operand.layout.permuted(order)) if rank > 1 else operand
    unit = operand.unit
    if unit is not None and unit.ndim > 1:
        unit = unit.swapaxes(-1, -2)
    elif unit is not None and unit.ndim == 1 and unit.size > 1:
        unit = unit[:, np.newaxis]
    values = operand.values
    return Constant(values.swapaxes(-1, -2) if values.ndim > 1 else values, unit)


def _shape(operand: Operand) -> tuple[int, ...]:
    return operand.layout.shape if isinstance(operand, Value) else operand.shape


def matmul(call: Call) -> Value:
    """numpy.matmul."""
    return multiply(call, call.operand(0), call.operand(1))


def multiply(call: Call, a: Operand, b: Operand) -> Value:
    """numpy.matmul of two operands, at least one of them an activation."""
    left, right = _shape(a), _shape(b)
    for operand in (a, b):
        require_real(call, operand)
    if not left or not right or left[-1] != right[-2 if len(right) > 1 else 0]:
        call.damaged(f"it multiplies {left} by {right}")
    if isinstance(a, Value) and isinstance(b, Constant) and len(right) == 2:
        return dense(call, a, b, None)
    if isinstance(b, Value) and isinstance(a, Constant) and len(left) == 2 and len(right) > 1:
        # a b = (b' a')': the constant goes to the right-hand side.
        turned, weights = transpose_last(b), transpose_last(a)
        assert isinstance(turned, Value) and isinstance(weights, Constant)
        product = transpose_last(dense(call, turned, weights, None))
        assert isinstance(product, Value)
        return product
    return _batched(call, a, b)


def dense(call: Call, x: Value, matrix: Constant, bias: Array | None) -> Value:
    """X M + bias for M [I, O], over the last axis of x."""
    require_real(call, x)
    layout, last = x.layout, len(x.layout.axes) - 1
    tensor = x.tensor
    if not layout.is_suffix(last):
        tensor, layout = call.scope.laid(x, range(last + 1)), Layout.of(layout.shape)
    if not call.scope.shape(tensor) or call.scope.shape(tensor)[-1] != layout.shape[last]:
        tensor = _rows(call, tensor, layout)
    weights = matrix.values.T[:, layout.slots(last)]
    constants = {"weights": weights, "bias": bias}
    emitted = call.emit(Dense(), [tensor], constants, matrix.units_along(1))
    return Value(emitted, _with_last(layout, weights.shape[0]))


def require_real(call: Call, operand: Operand) -> None:
    """Refuse an activation that is not of real numbers."""
    if isinstance(operand, Value) and call.scope.dtype(operand) is not DType.FLOAT32:
        call.refuse(
            f"it multiplies {call.scope.dtype(operand).label}",
            "compute in float32, or between DequantizeLinear and QuantizeLinear",
        )


def _rows(call: Call, tensor: str, layout: Layout) -> str:
    """`tensor` as a matrix with the last logical axis in its rows."""
    extent = layout.shape[-1]
    elements = call.scope.builder.tensor(tensor).elements
    return call.scope.reshape(tensor, (elements // max(extent, 1), extent))


def _with_last(layout: Layout, extent: int) -> Layout:
    """`layout` with its last axis, innermost in memory, replaced by one of `extent` elements."""
    leading = layout.axes[:-1]
    kept = sum(len(axis) for axis in leading)
    if extent == 1:
        return Layout(layout.extents[:kept], (*leading, ()))
    return Layout((*layout.extents[:kept], extent), (*leading, (kept,)))


def _batched(call: Call, a: Operand, b: Operand) -> Value:
    """A BatchMatMul; vectors become matrices for it, and its result a vector again."""
    left, right = call.scope.as_value(a, call.stem), call.scope.as_value(b, call.stem)
    x, y = left.layout.shape, right.layout.shape
    left = _reshaped(left, (1, *x) if len(x) == 1 else x)
    right = _reshaped(right, (*y, 1) if len(y) == 1 else y)
    rank = max(len(left.layout.axes), len(right.layout.axes))
    (first, turn_first), (second, turn_second) = (
        _matrices(call, value, rank) for value in (left, right)
    )
    emitted = call.emit(BatchMatMul(turn_first, turn_second), [first, second])
    full = call.scope.shape(emitted)
    shape = full[:-1] if len(y) == 1 else full
    shape = (*shape[:-2], shape[-1]) if len(x) == 1 and len(y) > 1 else shape
    shape = shape[:-1] if len(x) == 1 and len(y) == 1 else shape
    return Value(emitted, Layout.of(full).reshaped(shape))


def _reshaped(value: Value, shape: tuple[int, ...]) -> Value:
    return Value(value.tensor, value.layout.reshaped(shape))


def _matrices(call: Call, value: Value, rank: int) -> tuple[str, bool]:
    """A tensor of `rank` axes, and whether it has the last two of `value` exchanged."""
    own = len(value.layout.axes)
    turned = (*range(own - 2), own - 1, own - 2)
    lies_turned = not value.layout.is_prefix(range(own)) and value.layout.is_prefix(turned)
    tensor = call.scope.laid(value, turned if lies_turned else range(own))
    padded = (*[1] * (rank - own), *call.scope.shape(tensor))
    return call.scope.reshape(tensor, padded), lies_turned


PRODUCTS: Mapping[str, Lowering] = {"Gemm": gemm, "MatMul": matmul}
