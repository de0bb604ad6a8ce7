"""Fully connected layers: the product of an activation and a constant matrix."""

from __future__ import annotations

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout
from smidgen.frontends.pytorch.call import Call, Value
from smidgen.ops.dense.ops import Dense


def linear(call: Call) -> Value:
    """Y = x W^T + b, W [O, I]."""
    return _dense(call, "input", call.constant("weight"), call.optional_constant("bias"))


def matmul(call: Call) -> Value:
    """Y = x M for a constant M [I, O]."""
    return _dense(call, _first(call, "self", "input"), _matrix(call, "other", "mat2"), None)


def addmm(call: Call) -> Value:
    """Y = beta * b + alpha * x M, M [I, O]."""
    alpha, beta = float(call.arguments["alpha"]), float(call.arguments["beta"])
    bias = call.constant("self") * beta
    return _dense(call, "mat1", _matrix(call, "mat2") * alpha, bias)


def _first(call: Call, *names: str) -> str:
    return next(name for name in names if name in call.arguments)


def _matrix(call: Call, *names: str) -> Array:
    matrix = call.constant(_first(call, *names))
    if matrix.ndim != 2:
        call.refuse(f"a constant of {matrix.ndim} axes", "multiply by a matrix, as nn.Linear does")
    return matrix.T


def _dense(call: Call, name: str, weights: Array, bias: Array | None) -> Value:
    """Dense over the last logical axis; its columns follow the order in which the axis lies."""
    x = call.value(name)
    layout, last = x.layout, len(x.layout.axes) - 1
    if not layout.is_suffix(last):
        call.needs_transposition("the axis it multiplies does not lie innermost in memory")
    if bias is not None and bias.size != weights.shape[0]:
        call.refuse(f"a bias of shape {bias.shape}", "use one number for each output")
    columns = {"weights": weights[:, layout.slots(last)], "bias": bias}
    shape = call.physical_shape(x)
    tensor = x.tensor if shape else call.scope.reshape(x.tensor, (1, 1))
    emitted = call.emit(Dense(), tensor, _flat_bias(columns))
    return Value(emitted, replace_last_axis(layout, weights.shape[0]))


def _flat_bias(constants: dict[str, Array | None]) -> dict[str, Array | None]:
    bias = constants["bias"]
    return {**constants, "bias": None if bias is None else bias.reshape(-1)}


def replace_last_axis(layout: Layout, extent: int) -> Layout:
    """`layout` with its innermost, last logical axis replaced by one of `extent` elements."""
    leading = layout.axes[:-1]
    kept = sum(len(axis) for axis in leading)
    if extent == 1:
        return Layout(layout.extents[:kept], (*leading, ()))
    return Layout((*layout.extents[:kept], extent), (*leading, (kept,)))


PRODUCTS = {
    "aten.linear.default": linear,
    "aten.addmm.default": addmm,
    "aten.mm.default": matmul,
    "aten.matmul.default": matmul,
}
