"""Normalisations over an activation's own values, made of simpler ops."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smidgen.frontends.onnx.activations import number, per_channel, scaled
from smidgen.frontends.onnx.call import Call, Lowering, Result
from smidgen.frontends.onnx.elementwise import combine, unary
from smidgen.frontends.onnx.products import dense
from smidgen.frontends.onnx.reduction import reduce_axes
from smidgen.frontends.onnx.shaping import reshaped
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.ops.elementwise.unary import Abs, Exp, Log, Rsqrt, Square
from smidgen.ops.reduce.ops import Mean, Sum

_TINY = number(1e-30)
"""Keeps the length of a zero vector from dividing by zero."""


def normalized(call: Call, x: Value, axes: tuple[int, ...], epsilon: float) -> Value:
    """(x - mean) / sqrt(variance + epsilon) over `axes`."""
    centred = combine(call, "Sub", x, reduce_axes(call, x, axes, Mean, True))
    return combine(call, "Mul", centred, _inverse_root(call, centred, axes, epsilon))


def _inverse_root(call: Call, x: Value, axes: tuple[int, ...], epsilon: float) -> Value:
    """1 / sqrt(mean of squares + epsilon)."""
    squares = reduce_axes(call, unary(call, Square(), x), axes, Mean, True)
    return unary(call, Rsqrt(), scaled(call, squares, 1.0, epsilon))


def layer_norm(call: Call) -> tuple[Result, ...]:
    """Normalised over the axes from `axis` on, then scaled and shifted."""
    x = call.real_value(0)
    rank = len(x.layout.axes)
    axes = tuple(range(call.axis(-1, rank), rank))
    mean = reduce_axes(call, x, axes, Mean, True)
    centred = combine(call, "Sub", x, mean)
    inverse = _inverse_root(call, centred, axes, call.real("epsilon", 1e-5))
    y = combine(call, "Mul", centred, inverse)
    return _scaled_by(call, y, call.operand(1), call.optional(2)), mean, inverse


def _scaled_by(call: Call, y: Value, gain: Operand, shift: Operand | None) -> Value:
    product = combine(call, "Mul", y, gain)
    return product if shift is None else combine(call, "Add", product, shift)


def rms_norm(call: Call) -> Value:
    """X over the root of its mean square over the axes from `axis` on, then scaled."""
    x = call.real_value(0)
    rank = len(x.layout.axes)
    axes = tuple(range(call.axis(-1, rank), rank))
    y = combine(call, "Mul", x, _inverse_root(call, x, axes, call.real("epsilon", 1e-5)))
    return combine(call, "Mul", y, call.operand(1))


def instance_norm(call: Call) -> Value:
    """Each channel normalised over space, then scaled and shifted."""
    x = call.real_value(0)
    rank = len(x.layout.axes)
    y = normalized(call, x, tuple(range(2, rank)), call.real("epsilon", 1e-5))
    column = (-1, *[1] * (rank - 2))
    gain, shift = (call.constant(i, "scale").reshape(column) for i in (1, 2))
    return per_channel(call, y, gain.astype(np.float64), shift.astype(np.float64))


def group_norm(call: Call) -> Value:
    """Groups of channels normalised over themselves and space, then scaled and shifted."""
    x, groups = call.real_value(0), call.attribute("num_groups", 1)
    if len(x.layout.axes) < 2:
        call.damaged("its input has no channels")
    batch, channels, *space = x.layout.shape
    if groups < 1 or channels % groups:
        call.damaged(f"{channels} channels in {groups} groups")
    parts = reshaped(call, x, (batch, groups, channels // groups, *space))
    axes = tuple(range(2, len(parts.layout.axes)))
    y = reshaped(
        call, normalized(call, parts, axes, call.real("epsilon", 1e-5)), (batch, channels, *space)
    )
    gain, shift = (call.constant(i, "scale").astype(np.float64).reshape(-1) for i in (1, 2))
    if call.opset < 21:
        gain, shift = (np.repeat(each, channels // groups) for each in (gain, shift))
    column = (-1, *[1] * len(space))
    return per_channel(call, y, gain.reshape(column), shift.reshape(column))


def lp_norm(call: Call) -> Value:
    """X over its length along an axis."""
    x = call.real_value(0)
    axis = call.axis(-1, len(x.layout.axes))
    if call.attribute("p", 2) == 1:
        total = reduce_axes(call, unary(call, Abs(), x), (axis,), Sum, True)
        return combine(call, "Div", x, combine(call, "Max", total, _TINY))
    squares = reduce_axes(call, unary(call, Square(), x), (axis,), Sum, True)
    return combine(call, "Mul", x, unary(call, Rsqrt(), combine(call, "Max", squares, _TINY)))


def mean_variance(call: Call) -> Value:
    """(x - mean) / deviation over axes."""
    x = call.real_value(0)
    axes = call.numbers("axes") or (0, 2, 3)
    rank = len(x.layout.axes)
    chosen = tuple(call.axis_of(axis, rank) for axis in axes)
    return normalized(call, x, chosen, 1e-9)


def local_response(call: Call) -> Value:
    """X (bias + alpha times the mean of squares of the `size` channels around it) ** -beta."""
    x, size = call.real_value(0), call.attribute("size", 0)
    rank = len(x.layout.axes)
    if rank < 2 or size < 1:
        call.damaged(f"{size} channels of {list(x.layout.shape)}")
    channels = np.arange(x.layout.shape[1])
    ahead = channels - channels[:, np.newaxis]
    around = (-(size // 2) <= ahead) & (ahead <= (size - 1) // 2)
    share = call.real("alpha", 1e-4) / size
    last, back = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    squares = unary(call, Square(), x)
    turned = Value(squares.tensor, squares.layout.permuted(last))
    shift = np.full(len(channels), call.real("bias", 1.0))
    sums = dense(call, turned, Constant(share * around.astype(np.float64)), shift)
    logarithm = scaled(call, unary(call, Log(), sums), -call.real("beta", 0.75))
    gain = unary(call, Exp(), logarithm)
    return combine(call, "Mul", x, Value(gain.tensor, gain.layout.permuted(back)))


NORMALIZATIONS: Mapping[str, Lowering] = {
    "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm,
    "SimplifiedLayerNormalization": rms_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "LpNormalization": lp_norm,
    "LRN": local_response,
    "MeanVarianceNormalization": mean_variance,
}
