"""Attention: softmax(Q K' scale + mask) V by heads, of products, a softmax and masks.

Keys that a query may not see have the least score that float32 holds, not minus infinity: so a row
of nothing else has shares still, which are then made zero, and no NaN. Quantisation knows such
scores, and leaves the others their steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.activations import innermost, number, scaled
from smidgen.frontends.onnx.broadcasting import broadcast_shape, shape_of
from smidgen.frontends.onnx.call import Call, Result
from smidgen.frontends.onnx.elementwise import choose, combine, converted, unary
from smidgen.frontends.onnx.products import multiply, transpose_last
from smidgen.frontends.onnx.shaping import joined, reshaped, split_heads
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.ops.activation.functions import Tanh
from smidgen.ops.activation.ops import Softmax

_HIDDEN = number(float(np.finfo(np.float32).min))
"""The score of a key that is not seen."""
_SEEN = number(float(np.finfo(np.float32).min) / 2)
"""What lesser numbers in a mask are taken for, so that their keys lie above those not seen."""


@dataclass(frozen=True, slots=True)
class _Mask:
    """What is added to scores, and which keys are seen; None for nothing, and for all.

    Both broadcast over [batch, heads, queries, keys].
    """

    bias: Operand | None
    visible: Operand | None


def attention(call: Call) -> tuple[Result, ...]:
    """Y, the keys and values that are known afterwards, and the scores or shares themselves."""
    q, k, v = (_by_heads(call, index) for index in range(3))
    k, v = _after(call, k, 4), _after(call, v, 5)
    _check_shapes(call, q, k, v)
    raw = _product(call, scaled(call, q, _scale(call, q)), _turned(k))
    limited = _capped(call, raw)
    mask = _mask(call, limited.layout.shape)
    shares = _shares(call, limited, mask)
    y = _product(call, shares, v)
    if len(call.value(0).layout.axes) == 3:
        y = _beside_each_other(call, y)
    if call.read[3:4] != (True,):
        return y, k, v, None
    return y, k, v, _shown(call, (raw, limited, shares), mask)


def _by_heads(call: Call, index: int) -> Value:
    """Input `index` as [batch, heads, length, features]."""
    x = call.real_value(index)
    if len(x.layout.axes) == 4:
        return x
    heads = call.attribute("kv_num_heads" if index else "q_num_heads", 0)
    parts = split_heads(call, x, heads)
    return Value(parts.tensor, parts.layout.permuted((0, 2, 1, 3)))


def _beside_each_other(call: Call, y: Value) -> Value:
    """The heads of `y` as one axis with their features: [batch, length, width]."""
    batch, heads, length, width = y.layout.shape
    turned = Value(y.tensor, y.layout.permuted((0, 2, 1, 3)))
    return reshaped(call, turned, (batch, length, heads * width))


def _after(call: Call, x: Value, index: int) -> Value:
    """`x` behind what input `index` has kept of earlier calls."""
    past = call.optional(index)
    return x if past is None else joined(call, [past, x], 2)


def _check_shapes(call: Call, q: Value, k: Value, v: Value) -> None:
    (batch, heads, _, width), (others, groups, keys, own) = q.layout.shape, k.layout.shape
    fits = batch == others and width == own and groups > 0 and heads % groups == 0
    if not fits or v.layout.shape[:3] != (others, groups, keys):
        shapes = " and ".join(str(list(each.layout.shape)) for each in (q, k, v))
        call.damaged(f"queries, keys and values of {shapes} do not fit")


def _scale(call: Call, q: Value) -> float:
    return call.real("scale", 1.0 / math.sqrt(q.layout.shape[3]))


def _turned(k: Value) -> Value:
    turned = transpose_last(k)
    assert isinstance(turned, Value)
    return turned


def _product(call: Call, a: Value, b: Value) -> Value:
    """`a` [batch, heads, M, K] times `b` [batch, groups, K, N], which heads of a group share."""
    batch, heads, rows, inner = a.layout.shape
    groups, columns = b.layout.shape[1], b.layout.shape[3]
    if heads != groups:
        a = reshaped(call, a, (batch, groups, heads // groups * rows, inner))
    return reshaped(call, multiply(call, a, b), (batch, heads, rows, columns))


def _capped(call: Call, scores: Value) -> Value:
    """Scores bent so that they stay within `softcap`."""
    cap = call.real("softcap", 0.0)
    if cap <= 0.0:
        return scores
    return scaled(call, unary(call, Tanh(), scaled(call, scores, 1 / cap)), cap)


def _mask(call: Call, shape: tuple[int, ...]) -> _Mask:
    """The mask in input 3, and what causality, windows and padding hide."""
    given = _given_mask(call, shape)
    found = [*_hidden_by_place(call, shape), *([given.visible] if given.visible else [])]
    if not found:
        return given
    visible = reduce(lambda a, b: _both(call, a, b), found)
    if isinstance(visible, Constant) and visible.values.all():
        return _Mask(given.bias, None)
    return _Mask(given.bias, visible)


def _both(call: Call, a: Operand, b: Operand) -> Operand:
    if isinstance(a, Constant) and isinstance(b, Constant):
        return Constant(np.logical_and(a.values, b.values))
    return combine(call, "And", a, b)


def _given_mask(call: Call, shape: tuple[int, ...]) -> _Mask:
    """Input 3, whose last axis may be shorter than there are keys: it hides the others."""
    mask = call.optional(3)
    if mask is None:
        return _Mask(None, None)
    if not shape_of(mask):
        call.damaged("its mask is a scalar")
    *outer, length = shape_of(mask)
    missing = shape[3] - length
    if missing > 0:
        filled = np.zeros((*outer, missing), _dtype(call, mask))
        mask = _joined(call, mask, Constant(filled))
    if broadcast_shape(call, (shape, shape_of(mask))) != shape:
        call.damaged(f"a mask of {list(shape_of(mask))} for scores of {list(shape)}")
    covered = Constant(np.arange(shape[3]) < length) if missing > 0 else None
    if _dtype(call, mask) == np.bool_:
        return _Mask(None, mask)
    return _added(call, mask, covered)


def _dtype(call: Call, mask: Operand) -> np.dtype[np.generic]:
    if isinstance(mask, Constant):
        return mask.values.dtype
    return np.dtype(call.scope.dtype(mask).numpy)


def _joined(call: Call, first: Operand, second: Constant) -> Operand:
    if isinstance(first, Constant):
        return Constant(np.concatenate([first.values, second.values], axis=-1))
    return joined(call, [first, second], -1)


def _added(call: Call, mask: Operand, covered: Constant | None) -> _Mask:
    """A mask of numbers: where it is minus infinity it hides, elsewhere it is added."""
    visible: Operand
    if isinstance(mask, Constant):
        visible = Constant(mask.values > -math.inf)
    else:
        visible = combine(call, "GreaterOrEqual", mask, _HIDDEN)
    return _Mask(mask, visible if covered is None else _both(call, visible, covered))


def _hidden_by_place(call: Call, shape: tuple[int, ...]) -> list[Operand]:
    """What queries may see by where they stand: each of the given limits is one mask.

    Query i of n stands at `end` - n + i, where `end` is how many keys there are with those of the
    queries; causality is a window that reaches 0 to the right.
    """
    queries, keys = shape[2:]
    left, right = (call.attribute(f"{side}_window_size", -1) for side in ("left", "right"))
    if min(left, right) < -1:
        call.damaged(f"a window of {left} and {right}")
    if call.attribute("is_causal", 0):
        right = 0
    end, ahead = _end(call, shape), np.arange(keys) - np.arange(queries)[:, np.newaxis] + queries
    found = []
    if right >= 0:
        found.append(_compared(call, "Less", ahead - 1 - right, end))
    if left >= 0:
        found.append(_compared(call, "Greater", ahead + 1 + left, end))
    if call.optional(6) is not None:
        found.append(_compared(call, "Less", np.arange(keys), end))
    return found


def _end(call: Call, shape: tuple[int, ...]) -> Operand:
    """How many keys count: those before the queries and their own; or one number a batch."""
    lengths, past = call.optional(6), call.optional(4)
    if lengths is None:
        before = shape_of(past)[2] if past is not None else 0
        return Constant(np.asarray(before + shape[2], np.int32))
    if math.prod(shape_of(lengths)) != shape[0]:
        call.damaged(f"lengths of {list(shape_of(lengths))} for a batch of {shape[0]}")
    column = (shape[0], 1, 1, 1)
    if isinstance(lengths, Constant):
        return Constant(lengths.values.astype(np.int32).reshape(column))
    return reshaped(call, converted(call, lengths, DType.INT32), column)


def _compared(call: Call, kind: str, places: Array, end: Operand) -> Operand:
    if isinstance(end, Constant):
        compare = np.less if kind == "Less" else np.greater
        return Constant(compare(places, end.values))
    return combine(call, kind, Constant(places.astype(np.int32)), end)


def _shares(call: Call, scores: Value, mask: _Mask) -> Value:
    """Softmax over the keys that are seen; zeros where none is."""
    visible = mask.visible
    if not isinstance(visible, Constant):
        shares = _softmax(call, _masked(call, scores, mask))
        return shares if visible is None else choose(call, visible, shares, number(0.0))
    seeing: Array = np.any(visible.values, axis=-1, keepdims=True)
    # A row that sees nothing becomes zeros; till then it sees all, so that no scale goes so deep.
    shown = _Mask(mask.bias, Constant(np.logical_or(visible.values, ~seeing)))
    shares = _softmax(call, _masked(call, scores, shown))
    return shares if seeing.all() else choose(call, Constant(seeing), shares, number(0.0))


def _masked(call: Call, scores: Value, mask: _Mask) -> Value:
    """Scores with the mask: one constant to add where all is known and it adds something."""
    bias, visible = mask.bias, mask.visible
    if isinstance(bias, Constant):
        finite = np.where(np.isneginf(bias.values), 0, np.maximum(bias.values, _SEEN.values))
        if not isinstance(visible, Value) and finite.any():
            seen = np.True_ if visible is None else visible.values
            return combine(call, "Add", scores, Constant(np.where(seen, finite, _HIDDEN.values)))
        bias = Constant(finite) if finite.any() else None
    elif bias is not None:
        bias = combine(call, "Max", bias, _SEEN)
    if bias is not None:
        scores = combine(call, "Add", scores, bias)
    return scores if visible is None else choose(call, visible, scores, _HIDDEN)


def _softmax(call: Call, scores: Value) -> Value:
    tensor, layout = innermost(call, scores, 3)
    return Value(call.emit(Softmax(), [tensor]), layout)


def _shown(call: Call, stages: tuple[Value, Value, Value], mask: _Mask) -> Value:
    """What `qk_matmul_output_mode` asks for: scores, those capped, those masked too, or shares."""
    mode = call.attribute("qk_matmul_output_mode", 0)
    raw, limited, shares = stages
    if mode not in range(4):
        call.damaged(f"there is no qk_matmul_output_mode {mode}")
    if mode != 2:
        return {0: raw, 1: limited, 3: shares}[mode]
    biased = limited if mask.bias is None else combine(call, "Add", limited, mask.bias)
    if mask.visible is None:
        return biased
    return choose(call, mask.visible, biased, number(-math.inf))
