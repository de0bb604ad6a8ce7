"""Operators that treat every element alike: normalisation, sums, clamps, softmax."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout
from smidgen.frontends.pytorch.call import Call, Value, four_axes
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.support.activation import Activation


def batch_norm(call: Call) -> Value:
    """Gamma (x - mean) / sqrt(variance + eps) + beta over the channels in axis 1."""
    if call.arguments.get("training"):
        return batch_norm_in_training(call)
    if call.arguments["running_mean"] is None:
        call.refuse("no running statistics", "train with track_running_stats=True")
    gain = 1.0 / np.sqrt(call.constant("running_var") + float(call.arguments["eps"]))
    gamma, beta = call.optional_constant("weight"), call.optional_constant("bias")
    scale = gain if gamma is None else gain * gamma
    shift = -call.constant("running_mean") * scale + (0.0 if beta is None else beta)
    column = (-1, *[1] * (len(call.shape) - 2))
    return affine(call, call.value("input"), scale.reshape(column), shift.reshape(column))


def batch_norm_in_training(call: Call) -> Value:
    """What batch normalisation is before `eval()`: refused."""
    return call.refuse("batch normalisation in training mode", "call eval() before exporting")


def affine(call: Call, x: Value, scale: Array, shift: Array) -> Value:
    """Scale * x + shift, constants that broadcast over x's logical shape.

    A number for each slot of the innermost axis becomes a 1x1 DepthwiseConv2D, which `fold` merges
    into its neighbours; a shift that varies elsewhere becomes an Add.
    """
    if np.broadcast_shapes(scale.shape, shift.shape, x.layout.shape) != x.layout.shape:
        call.refuse("the constant is larger than the activation", "broadcast the other way round")
    view = four_axes(call.physical_shape(x))
    scales, shifts = (_spread(x.layout, values, view) for values in (scale, shift))
    if not _varies_innermost_only(scales):
        call.refuse("a factor that varies over space", "use one factor for each channel")
    even = _varies_innermost_only(shifts)
    scaled = _scaled(call, x, scales[0, 0, 0], shifts[0, 0, 0] if even else 0 * scales[0, 0, 0])
    if even:
        return scaled
    tensor = call.scope.reshape(scaled.tensor, view)
    return Value(call.emit(Add(), tensor, {"addend": _narrowed(shifts)}), x.layout)


def _scaled(call: Call, x: Value, scale: Array, shift: Array) -> Value:
    """X times and plus a number for each slot of its innermost axis; x itself if 1 and 0."""
    if np.all(scale == 1.0) and np.all(shift == 0.0):
        return x
    tensor = call.scope.reshape(x.tensor, four_axes(call.physical_shape(x)))
    constants = {"weights": scale.reshape(1, 1, 1, -1), "bias": shift}
    return Value(call.emit(DepthwiseConv2D(), tensor, constants), x.layout)


def _spread(layout: Layout, values: Array, view: tuple[int, ...]) -> Array:
    """A constant over the whole of `layout`, in memory order, shaped `view`."""
    full = np.broadcast_to(np.asarray(values, np.float64), layout.shape)
    return layout.physical(full).reshape(view)


def _varies_innermost_only(values: Array) -> bool:
    return bool(np.all(values == values[:1, :1, :1]))


def _narrowed(values: Array) -> Array:
    """`values` with every axis along which nothing changes cut to 1, so that it broadcasts."""
    for axis in range(values.ndim):
        first = np.take(values, [0], axis)
        values = first if np.all(values == first) else values
    return values


def add(call: Call) -> Value:
    """Sum of two activations, or of one and a constant."""
    return _sum(call, float(call.arguments.get("alpha") or 1))


def subtract(call: Call) -> Value:
    """Difference of two activations, or of one and a constant either way round."""
    return _sum(call, -float(call.arguments.get("alpha") or 1))


def reversed_subtract(call: Call) -> Value:
    """Other - self for a constant `other`."""
    return affine(call, call.value("self"), np.asarray(-1.0), call.constant("other"))


def _sum(call: Call, factor: float) -> Value:
    """Self + factor * other."""
    one = np.asarray(1.0)
    if not call.is_value("other"):
        return affine(call, call.value("self"), one, factor * call.constant("other"))
    if not call.is_value("self"):
        return affine(call, call.value("other"), one * factor, call.constant("self"))
    if abs(factor) != 1.0:
        call.refuse(f"a sum with alpha {factor}", "scale the weights of one operand instead")
    return _combine_values(call, Add() if factor == 1.0 else Sub())


def _combine_values(call: Call, op: Add | Sub | Mul) -> Value:
    """`op` of the activations self and other, of which the smaller broadcasts over the larger."""
    operands = [call.value("self"), call.value("other")]
    larger = next((x for x in operands if x.layout.shape == call.shape), None)
    if larger is None:
        call.refuse("both operands broadcast", "let one of them have the shape of the result")
    shape = call.physical_shape(larger)
    tensors = [
        x.tensor
        if x is larger
        else call.scope.reshape(x.tensor, _shape_against(call, larger.layout, shape, x.layout))
        for x in operands
    ]
    return Value(call.scope.builder.add(op, tensors, node=call.stem())[0], larger.layout)


def _shape_against(
    call: Call, large: Layout, large_shape: tuple[int, ...], small: Layout
) -> tuple[int, ...]:
    """The shape under which the tensor of `small` broadcasts over that of `large`.

    Found by laying out the positions of `small`'s elements as `large` lies: they must come out in
    order, or memory would have to be moved.
    """
    positions = np.arange(math.prod(small.extents), dtype=np.float64)
    spread = np.broadcast_to(small.logical(positions), large.shape)
    narrowed = _narrowed(large.physical(spread).reshape(large_shape))
    if not np.array_equal(narrowed.reshape(-1), positions):
        call.needs_transposition("its operands lie in different orders in memory")
    return tuple(narrowed.shape)


def multiply(call: Call) -> Value:
    """Product of two activations, or of one and a constant."""
    name, other = ("self", "other") if call.is_value("self") else ("other", "self")
    if call.is_value(other):
        return _combine_values(call, Mul())
    return affine(call, call.value(name), call.constant(other), np.asarray(0.0))


def divide(call: Call) -> Value:
    """Quotient of an activation and a constant."""
    return affine(call, call.value("self"), 1.0 / call.constant("other"), np.asarray(0.0))


def negate(call: Call) -> Value:
    """-x."""
    return affine(call, call.value("self"), np.asarray(-1.0), np.asarray(0.0))


def relu(call: Call) -> Value:
    """max(x, 0)."""
    return _clamp(call, 0.0, math.inf)


def relu6(call: Call) -> Value:
    """min(max(x, 0), 6)."""
    return _clamp(call, 0.0, 6.0)


def clamp(call: Call) -> Value:
    """X limited to [low, high], for the limits that TensorFlow Lite can fuse."""
    low, high = (call.arguments.get(name) for name in ("min", "max"))
    return _clamp(call, -math.inf if low is None else low, math.inf if high is None else high)


def hardtanh(call: Call) -> Value:
    """X limited to [min_val, max_val]."""
    return _clamp(call, call.arguments["min_val"], call.arguments["max_val"])


def _clamp(call: Call, low: float, high: float) -> Value:
    x = call.value("self")
    known = {activation.value: activation for activation in Activation}
    activation = known.get((float(low), float(high)))
    if activation is None:
        call.refuse(f"limits [{low}, {high}]", "use relu, relu6 or hardtanh(-1, 1)")
    if activation is Activation.NONE:
        return x
    return Value(call.emit(Clamp(activation), x.tensor), x.layout)


def softmax(call: Call) -> Value:
    """Softmax over an axis that lies innermost in memory."""
    x = call.value("self")
    axis = int(call.arguments["dim"]) % len(x.layout.axes)
    if not x.layout.is_suffix(axis):
        call.needs_transposition("softmax over an axis that does not lie innermost in memory")
    shape, extent = call.physical_shape(x), x.layout.shape[axis]
    if shape[-1] != extent:
        shape = (math.prod(shape) // extent, extent)
    return Value(call.emit(Softmax(), call.scope.reshape(x.tensor, shape)), x.layout)


ELEMENTWISE = {
    "aten.batch_norm.default": batch_norm,
    "aten._native_batch_norm_legit_no_training.default": batch_norm,
    "aten._native_batch_norm_legit.default": batch_norm_in_training,
    "aten._native_batch_norm_legit_functional.default": batch_norm_in_training,
    "aten.add.Tensor": add,
    "aten.add.Scalar": add,
    "aten.sub.Tensor": subtract,
    "aten.sub.Scalar": subtract,
    "aten.rsub.Scalar": reversed_subtract,
    "aten.rsub.Tensor": reversed_subtract,
    "aten.mul.Tensor": multiply,
    "aten.mul.Scalar": multiply,
    "aten.div.Tensor": divide,
    "aten.div.Scalar": divide,
    "aten.neg.default": negate,
    "aten.relu.default": relu,
    "aten.relu6.default": relu6,
    "aten.hardtanh.default": hardtanh,
    "aten.clamp.default": clamp,
    "aten.clamp_min.default": clamp,
    "aten.clamp_max.default": clamp,
    "aten.softmax.int": softmax,
    "aten._softmax.default": softmax,
    "aten._safe_softmax.default": softmax,
}
