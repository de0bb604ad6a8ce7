"""Activation functions, softmaxes, and batch normalisation at inference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call, Lowering, Result
from smidgen.frontends.onnx.elementwise import affine, choose, combine, unary
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.graph.op import Op
from smidgen.ops.activation.functions import Elu, Erf, Gelu, HardSwish, LeakyRelu, Logistic, Tanh
from smidgen.ops.activation.log_softmax import LogSoftmax
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.elementwise.comparison import LogicalNot
from smidgen.ops.elementwise.unary import Abs, Ceil, Cos, Exp, Floor, Log, Neg, Round, Sin, Sqrt
from smidgen.ops.support.activation import Activation

_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def number(value: float) -> Constant:
    """A constant of one number."""
    return Constant(np.asarray(value, np.float32))


def scaled(call: Call, x: Value, factor: float, shift: float = 0.0) -> Value:
    """Factor * x + shift."""
    product = x if factor == 1.0 else combine(call, "Mul", x, number(factor))
    return product if shift == 0.0 else combine(call, "Add", product, number(shift))


def clamped(call: Call, x: Value, low: float, high: float) -> Value:
    """min(max(x, low), high): a Clamp where TensorFlow Lite knows such an activation."""
    known = {activation.value: activation for activation in Activation}
    activation = known.get((low, high))
    if activation is not None:
        return x if activation is Activation.NONE else unary(call, Clamp(activation), x)
    above = combine(call, "Max", x, number(low)) if math.isfinite(low) else x
    return combine(call, "Min", above, number(high)) if math.isfinite(high) else above


def relu(call: Call) -> Value:
    """max(x, 0)."""
    return clamped(call, call.real_value(0), 0.0, math.inf)


def clip(call: Call) -> Value:
    """X limited to [min, max], which are attributes or constant inputs; neither is no limit."""
    x = call.value(0)
    if call.scope.dtype(x) is not DType.FLOAT32:
        return _clipped_integers(call, x)
    low = call.real("min", -math.inf) if call.opset < 11 else _limit(call, 1, -math.inf)
    high = call.real("max", math.inf) if call.opset < 11 else _limit(call, 2, math.inf)
    largest = float(np.finfo(np.float32).max)
    return clamped(
        call, x, -math.inf if low <= -largest else low, math.inf if high >= largest else high
    )


def _clipped_integers(call: Call, x: Value) -> Value:
    """Numbers that are no quanta, between limits of their own type."""
    for index, kind in ((1, "Max"), (2, "Min")):
        limit = call.optional_constant(index, "limit") if call.opset >= 11 else None
        if limit is not None:
            x = combine(call, kind, x, Constant(limit.reshape(())))
    return x


def _limit(call: Call, index: int, default: float) -> float:
    given = call.optional_constant(index, "limit")
    if given is None:
        return default
    if given.size != 1:
        call.damaged("a limit of Clip is no single number")
    return float(given.reshape(-1)[0])


def simple(op: Op) -> Lowering:
    """The lowering of a node that is `op` of each element."""

    def lower(call: Call) -> Value:
        return unary(call, op, call.real_value(0))

    return lower


def leaky_relu(call: Call) -> Value:
    """X where it is positive, else alpha x."""
    return unary(call, LeakyRelu(call.real("alpha", 0.01)), call.real_value(0))


def prelu(call: Call) -> Value:
    """max(x, 0) + slope * min(x, 0) for a constant slope; a number is a leaky relu."""
    x, slope = call.real_value(0), call.constant(1, "slope")
    if slope.size == 1:
        return unary(call, LeakyRelu(float(slope.reshape(-1)[0])), x)
    below = unary(call, Clamp(), unary(call, Neg(), x))
    return combine(
        call,
        "Add",
        unary(call, Clamp(), x),
        combine(call, "Mul", below, Constant(-slope.astype(np.float32))),
    )


def elu(call: Call) -> Value:
    """X where it is positive, else alpha (e**x - 1)."""
    return _elu(call, call.real_value(0), call.real("alpha", 1.0))


def _elu(call: Call, x: Value, alpha: float) -> Value:
    if alpha == 1.0:
        return unary(call, Elu(), x)
    negative = unary(call, Elu(), clamped(call, x, -math.inf, 0.0))
    return combine(call, "Add", unary(call, Clamp(), x), scaled(call, negative, alpha))


def selu(call: Call) -> Value:
    """Gamma * elu(x) with alpha."""
    x = call.real_value(0)
    return scaled(
        call, _elu(call, x, call.real("alpha", _SELU_ALPHA)), call.real("gamma", _SELU_GAMMA)
    )


def celu(call: Call) -> Value:
    """max(x, 0) + min(0, alpha (e**(x / alpha) - 1)): alpha elu(x / alpha)."""
    alpha = call.real("alpha", 1.0)
    if alpha == 0.0:
        call.refuse("alpha is 0", "use Relu")
    return scaled(call, unary(call, Elu(), scaled(call, call.real_value(0), 1 / alpha)), alpha)


def hard_sigmoid(call: Call) -> Value:
    """min(1, max(0, alpha x + beta))."""
    x = scaled(call, call.real_value(0), call.real("alpha", 0.2), call.real("beta", 0.5))
    return clamped(call, x, 0.0, 1.0)


def gelu(call: Call) -> Value:
    """X times the normal distribution's integral up to x, or its approximation by tanh."""
    approximate = call.text("approximate", "none")
    if approximate not in ("none", "tanh"):
        call.damaged(f"there is no approximation {approximate!r}")
    return unary(call, Gelu(approximate == "tanh"), call.real_value(0))


def swish(call: Call) -> Value:
    """X / (1 + e**-(alpha x))."""
    x = call.real_value(0)
    gate = unary(call, Logistic(), scaled(call, x, call.real("alpha", 1.0)))
    return combine(call, "Mul", x, gate)


def gated(call: Call) -> Value:
    """SwiGLU: the swish of the first input times the second."""
    return combine(call, "Mul", swish(call), call.operand(1))


def softplus(call: Call) -> Value:
    """log(1 + e**x)."""
    return _softplus(call, call.real_value(0))


def _softplus(call: Call, x: Value) -> Value:
    """max(x, 0) + log(1 + e**-|x|), which cannot overflow."""
    decay = unary(call, Exp(), unary(call, Neg(), unary(call, Abs(), x)))
    tail = unary(call, Log(), scaled(call, decay, 1.0, 1.0))
    return combine(call, "Add", unary(call, Clamp(), x), tail)


def mish(call: Call) -> Value:
    """X tanh(log(1 + e**x))."""
    x = call.real_value(0)
    return combine(call, "Mul", x, unary(call, Tanh(), _softplus(call, x)))


def softsign(call: Call) -> Value:
    """X / (1 + |x|)."""
    x = call.real_value(0)
    return combine(call, "Div", x, scaled(call, unary(call, Abs(), x), 1.0, 1.0))


def thresholded(call: Call) -> Value:
    """X where it is above alpha, else 0."""
    x = call.real_value(0)
    above = combine(call, "Greater", x, number(call.real("alpha", 1.0)))
    return choose(call, above, x, number(0.0))


def shrink(call: Call) -> Value:
    """X nearer to 0 by a bias where it is farther from it than lambd, else 0."""
    x, limit, bias = call.real_value(0), call.real("lambd", 0.5), call.real("bias", 0.0)
    above = combine(call, "Greater", x, number(limit))
    below = combine(call, "Less", x, number(-limit))
    inner = choose(call, above, scaled(call, x, 1.0, -bias), number(0.0))
    return choose(call, below, scaled(call, x, 1.0, bias), inner)


def tangent(call: Call) -> Value:
    """sin(x) / cos(x)."""
    x = call.real_value(0)
    return combine(call, "Div", unary(call, Sin(), x), unary(call, Cos(), x))


def hyperbolic(kind: str) -> Lowering:
    """Half of e**x and e**-x: their sum, or their difference."""

    def lower(call: Call) -> Value:
        x = call.real_value(0)
        growth, decay = (unary(call, Exp(), each) for each in (x, unary(call, Neg(), x)))
        return scaled(call, combine(call, kind, growth, decay), 0.5)

    return lower


def is_infinite(call: Call) -> Value:
    """Whether it lies beyond all numbers, on one of the sides that the attributes name."""
    x = call.real_value(0)
    largest = float(np.finfo(np.float32).max)
    above, below = (bool(call.attribute(f"detect_{side}", 1)) for side in ("positive", "negative"))
    if above and below:
        x = unary(call, Abs(), x)
    if above:
        return combine(call, "Greater", x, number(largest))
    return combine(call, "Less", x, number(-largest if below else -math.inf))


def is_nan(call: Call) -> Value:
    """Whether it is no number: it differs from itself."""
    x = call.real_value(0)
    return unary(call, LogicalNot(), combine(call, "Equal", x, x))


def reciprocal(call: Call) -> Value:
    """1 / x."""
    return combine(call, "Div", number(1.0), call.real_value(0))


def softmax(call: Call) -> Value:
    """Softmax over an axis; before operator set 13 over all axes from it on."""
    return _over_axis(call, Softmax())


def log_softmax(call: Call) -> Value:
    """The logarithm of softmax."""
    return _over_axis(call, LogSoftmax())


def _over_axis(call: Call, op: Op) -> Value:
    x = call.real_value(0)
    shape = x.layout.shape
    if not shape:
        call.refuse("its input is a scalar", "give it at least one axis")
    axis = call.axis(-1 if call.opset >= 13 else 1, len(shape))
    if call.opset < 13 and math.prod(shape[axis:]) != shape[axis]:
        plain = call.scope.plain(x)
        rows = math.prod(shape[:axis])
        tensor = call.scope.reshape(plain.tensor, (rows, math.prod(shape[axis:])))
        return Value(call.emit(op, [tensor]), plain.layout)
    tensor, layout = innermost(call, x, axis)
    return Value(call.emit(op, [tensor]), layout)


def innermost(call: Call, x: Value, axis: int) -> tuple[str, Layout]:
    """A tensor whose last axis is the logical `axis` of `x`, and how `x` lies in it."""
    extent, tensor, layout = x.layout.shape[axis], x.tensor, x.layout
    if not layout.is_suffix(axis):
        order = (*(other for other in range(len(layout.axes)) if other != axis), axis)
        tensor, layout = call.scope.laid(x, order), Layout.of(layout.shape, order)
    shape = call.scope.shape(tensor)
    if not shape or shape[-1] != extent:
        rows = call.scope.builder.tensor(tensor).elements // max(extent, 1)
        tensor = call.scope.reshape(tensor, (rows, extent))
    return tensor, layout


def batch_norm(call: Call) -> tuple[Result, ...]:
    """Gamma (x - mean) / sqrt(variance + eps) + beta over the channels in axis 1."""
    if call.attribute("training_mode", 0) or any(call.read[1:]):
        call.refuse("batch normalisation in training mode", "export the model for inference")
    names = ("scale", "bias", "mean", "variance")
    scale, bias, mean, variance = (
        call.constant(index + 1, name).astype(np.float64).reshape(-1)
        for index, name in enumerate(names)
    )
    x = call.real_value(0)
    column = (-1, *[1] * (len(x.layout.axes) - 2))
    gain = scale / np.sqrt(variance + call.real("epsilon", 1e-5))
    shift = bias - mean * gain
    return per_channel(call, x, gain.reshape(column), shift.reshape(column)), *[None] * 4


def per_channel(call: Call, x: Value, gain: Array, shift: Array) -> Value:
    """Gain * x + shift, for constants that broadcast over `x`."""
    done = affine(call, x, gain, shift)
    if done is not None:
        return done
    return combine(call, "Add", combine(call, "Mul", x, Constant(gain)), Constant(shift))


_SIMPLE: Mapping[str, Callable[[], Op]] = {
    "Sigmoid": Logistic,
    "Tanh": Tanh,
    "HardSwish": HardSwish,
    "Erf": Erf,
    "Exp": Exp,
    "Log": Log,
    "Sqrt": Sqrt,
    "Abs": Abs,
    "Floor": Floor,
    "Ceil": Ceil,
    "Round": Round,
    "Sin": Sin,
    "Cos": Cos,
}

ACTIVATIONS: Mapping[str, Lowering] = {
    **{kind: simple(op()) for kind, op in _SIMPLE.items()},
    "Relu": relu,
    "Clip": clip,
    "LeakyRelu": leaky_relu,
    "PRelu": prelu,
    "Elu": elu,
    "Selu": selu,
    "Celu": celu,
    "HardSigmoid": hard_sigmoid,
    "Gelu": gelu,
    "Swish": swish,
    "Mish": mish,
    "Softplus": softplus,
    "Softsign": softsign,
    "SwiGLU": gated,
    "ThresholdedRelu": thresholded,
    "Shrink": shrink,
    "Tan": tangent,
    "Cosh": hyperbolic("Add"),
    "Sinh": hyperbolic("Sub"),
    "IsInf": is_infinite,
    "IsNaN": is_nan,
    "Reciprocal": reciprocal,
    "Softmax": softmax,
    "LogSoftmax": log_softmax,
    "BatchNormalization": batch_norm,
}
