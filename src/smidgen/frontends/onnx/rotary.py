"""RotaryEmbedding: pairs of features turned by an angle that grows with the position."""

from __future__ import annotations

from smidgen.frontends.onnx.broadcasting import shape_of
from smidgen.frontends.onnx.call import Call
from smidgen.frontends.onnx.elementwise import combine
from smidgen.frontends.onnx.shaping import (
    checked_positions,
    joined,
    picked,
    piece,
    reshaped,
    split_heads,
)
from smidgen.frontends.onnx.values import Constant, Operand, Value

_FEATURES = 3
"""Which axis of [batch, length, heads, features] is turned."""


def rotary_embedding(call: Call) -> Value:
    """The first `rotary_embedding_dim` features of each head turned, the others as they are."""
    x = call.real_value(0)
    heads = _with_heads(call, x)
    features = heads.layout.shape[_FEATURES]
    turned = call.attribute("rotary_embedding_dim", 0) or features
    if not 0 < turned <= features or turned % 2:
        call.damaged(f"{turned} of {features} features are turned")
    parts = _turned(call, heads, turned // 2)
    if turned < features:
        parts = [*parts, piece(call, heads, _FEATURES, turned, features - turned)]
    y = joined(call, parts, _FEATURES)
    if len(x.layout.axes) == 4:
        return Value(y.tensor, y.layout.permuted((0, 2, 1, 3)))
    return reshaped(call, y, x.layout.shape)


def _with_heads(call: Call, x: Value) -> Value:
    """`x` [batch, heads, length, features] or [batch, length, width] with its axes in our order."""
    if len(x.layout.axes) == 4:
        return Value(x.tensor, x.layout.permuted((0, 2, 1, 3)))
    return split_heads(call, x, call.attribute("num_heads", 0))


def _turned(call: Call, x: Value, pairs: int) -> list[Value]:
    """The first features of `x`, two of a pair beside each other or in two halves, turned."""
    beside = bool(call.attribute("interleaved", 0))
    start, step = (1, 2) if beside else (pairs, 1)
    first, second = (piece(call, x, _FEATURES, at, pairs, step) for at in (0, start))
    cosine, sine = (_angles(call, index, x.layout.shape[:2], pairs) for index in (1, 2))
    real = _sum(call, "Sub", (first, cosine), (second, sine))
    imaginary = _sum(call, "Add", (first, sine), (second, cosine))
    if not beside:
        return [real, imaginary]
    outer = x.layout.shape[:_FEATURES]
    columns = [reshaped(call, part, (*outer, pairs, 1)) for part in (real, imaginary)]
    return [reshaped(call, joined(call, columns, _FEATURES + 1), (*outer, 2 * pairs))]


def _sum(
    call: Call, kind: str, first: tuple[Value, Operand], second: tuple[Value, Operand]
) -> Value:
    """The sum or difference of two products."""
    return combine(call, kind, combine(call, "Mul", *first), combine(call, "Mul", *second))


def _angles(call: Call, index: int, steps: tuple[int, ...], pairs: int) -> Operand:
    """Input `index` as [batch, length, 1, pairs]: given so, or picked by the positions."""
    cache, positions = call.operand(index), call.optional(3)
    if positions is not None:
        cache = _picked(call, cache, positions)
    if shape_of(cache) != (*steps, pairs):
        call.damaged(f"angles of {list(shape_of(cache))} for {pairs} pairs in {list(steps)}")
    shape = (*steps, 1, pairs)
    if isinstance(cache, Constant):
        return Constant(cache.values.reshape(shape))
    return reshaped(call, cache, shape)


def _picked(call: Call, cache: Operand, positions: Operand) -> Operand:
    """The rows of a table of angles."""
    if len(shape_of(cache)) != 2:
        call.damaged(f"a table of angles of {list(shape_of(cache))}")
    if isinstance(cache, Constant) and isinstance(positions, Constant):
        return Constant(cache.values[checked_positions(call, positions, cache.shape[0])])
    return picked(call, call.scope.as_value(cache, call.stem), positions, 0)
