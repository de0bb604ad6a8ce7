"""Normalisation, attention and recurrent layers, by way of ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.onnx.call import Result
from smidgen.frontends.onnx.values import Value
from smidgen.frontends.pytorch.call import Call
from smidgen.frontends.pytorch.translation import (
    Translation,
    apply,
    as_array,
    onnx_call,
    results_of,
)


def layer_norm(call: Call) -> Value | list[Value | None]:
    """Normalised over the last axes, then scaled and shifted."""
    name = "input" if "input" in call.arguments else "self"
    shape = [int(extent) for extent in call.arguments["normalized_shape"]]
    weight, bias = call.arguments.get("weight"), call.arguments.get("bias")
    gain = np.ones(shape, np.float32) if weight is None else weight
    y = apply(
        call,
        "LayerNormalization",
        call.value(name),
        gain,
        bias,
        axis=-len(shape),
        epsilon=float(call.arguments["eps"]),
    )
    return [y, None, None] if call.operator == "aten.native_layer_norm.default" else y


def rms_norm(call: Call) -> Value:
    """X over the root of its mean square over the last axes, then scaled."""
    shape = [int(extent) for extent in call.arguments["normalized_shape"]]
    weight, epsilon = call.arguments.get("weight"), call.arguments.get("eps")
    gain = np.ones(shape, np.float32) if weight is None else weight
    small = float(np.finfo(np.float32).eps) if epsilon is None else float(epsilon)
    x = call.value("input")
    return apply(call, "RMSNormalization", x, gain, axis=-len(shape), epsilon=small)


def group_norm(call: Call) -> Value:
    """Groups of channels normalised over themselves and space, then scaled and shifted."""
    x = call.value("input")
    gain, shift = _per_channel(call, x.layout.shape[1])
    groups, epsilon = int(call.arguments["num_groups"]), float(call.arguments["eps"])
    return apply(call, "GroupNormalization", x, gain, shift, num_groups=groups, epsilon=epsilon)


def instance_norm(call: Call) -> Value:
    """Each channel normalised over space, then scaled and shifted."""
    if not call.arguments.get("use_input_stats", True):
        call.refuse("running statistics", "use batch normalisation")
    x = call.value("input")
    gain, shift = _per_channel(call, x.layout.shape[1])
    epsilon = float(call.arguments["eps"])
    return apply(call, "InstanceNormalization", x, gain, shift, epsilon=epsilon)


def _per_channel(call: Call, channels: int) -> tuple[Any, Any]:
    weight, bias = call.arguments.get("weight"), call.arguments.get("bias")
    gain = np.ones(channels, np.float32) if weight is None else weight
    return gain, np.zeros(channels, np.float32) if bias is None else bias


def attention(call: Call) -> Value:
    """softmax(scale q k' + mask) v."""
    q, k, v = (call.arguments[name] for name in ("query", "key", "value"))
    if call.arguments.get("enable_gqa"):
        call.refuse("grouped queries", "repeat the keys and values")
    rank, (steps, depth) = len(call.shape), call.value("query").layout.shape[-2:]
    given = call.arguments.get("scale")
    scale = 1.0 / math.sqrt(depth) if given is None else float(given)
    turned = apply(call, "Transpose", k, perm=(*range(rank - 2), rank - 1, rank - 2))
    scores = apply(call, "Mul", apply(call, "MatMul", q, turned), scale)
    mask = call.arguments.get("attn_mask")
    if call.arguments.get("is_causal"):
        keys = call.value("key").layout.shape[-2]
        mask = np.triu(np.full((steps, keys), -1e4, np.float32), 1)
    if mask is not None:
        scores = _masked(call, scores, mask)
    return apply(call, "MatMul", apply(call, "Softmax", scores, axis=-1), v)


def _masked(call: Call, scores: Value, mask: Any) -> Value:
    """Scores plus a mask; a bool one has false where nothing is to be seen."""
    if isinstance(mask, Value):
        return apply(call, "Add", scores, mask)
    values = as_array(mask)
    if values.dtype == np.bool_:
        values = np.where(values, np.float32(0), np.float32(-1e4))
    return apply(call, "Add", scores, np.maximum(values, np.float32(-1e4)))


@dataclass(frozen=True, slots=True)
class _Kind:
    """How PyTorch's gates become ONNX's."""

    operator: str
    order: tuple[int, ...]
    """ONNX's gates, each by its number in PyTorch."""
    attributes: Mapping[str, Any]

    @property
    def has_cell(self) -> bool:
        """Whether there is a cell state beside the hidden one."""
        return self.operator == "LSTM"


_KINDS: Mapping[str, _Kind] = {
    "lstm": _Kind("LSTM", (0, 3, 1, 2), {}),
    "gru": _Kind("GRU", (1, 0, 2), {"linear_before_reset": 1}),
    "rnn_tanh": _Kind("RNN", (0,), {"activations": ("Tanh",)}),
    "rnn_relu": _Kind("RNN", (0,), {"activations": ("Relu",)}),
}


def recurrent(name: str) -> Translation:
    """The translation of a stack of recurrent layers: outputs, and the last states."""
    kind = _KINDS[name]

    def lower(call: Call) -> list[Value | None]:
        x, directions = call.value("input"), 2 if call.arguments["bidirectional"] else 1
        if len(x.layout.axes) != 3:
            call.refuse("an input without a batch axis", "give it [batch, steps, inputs]")
        if call.arguments["batch_first"]:
            x = Value(x.tensor, x.layout.permuted((1, 0, 2)))
        given = call.arguments["hx"]
        states = [as_state(state) for state in (given if kind.has_cell else [given])]
        lasts: list[list[Value | None]] = []
        for layer in range(int(call.arguments["num_layers"])):
            chosen = [state.part(call, layer * directions, directions) for state in states]
            x, *last = _layer(call, kind, x, _weights(call, layer, directions), chosen)
            lasts.append(last)
        y = x if not call.arguments["batch_first"] else _batch_first(x)
        return [y, *(_stacked(call, each, index) for index, each in enumerate(zip(*lasts)))]  # noqa: B905

    return lower


def _batch_first(x: Value) -> Value:
    return Value(x.tensor, x.layout.permuted((1, 0, 2)))


def _stacked(call: Call, lasts: Sequence[Value | None], index: int) -> Value | None:
    """The last states of all layers [layers * directions, B, S]."""
    if not call.reads(index + 1):
        return None
    parts = [value for value in lasts if value is not None]
    return parts[0] if len(parts) == 1 else apply(call, "Concat", *parts, axis=0)


@dataclass(frozen=True, slots=True)
class State:
    """The initial states of all layers: an activation, or numbers."""

    value: Value | None
    numbers: Array | None

    def part(self, call: Call, first: int, count: int) -> Value | Array | None:
        """Those of one layer [directions, B, S]; None stands for zeros."""
        if self.value is not None:
            if self.value.layout.shape[0] == count:
                return self.value
            return apply(call, "Slice", self.value, [first], [first + count], [0])
        assert self.numbers is not None
        return self.numbers[first : first + count]


def as_state(given: Any) -> State:
    """An argument that is a state."""
    return State(given, None) if isinstance(given, Value) else State(None, as_array(given))


def _weights(call: Call, layer: int, directions: int) -> list[list[Array]]:
    """For each direction: weights, recurrent weights, and the two biases."""
    parameters = call.arguments["params"]
    each = 4 if call.arguments["has_biases"] else 2
    start = layer * directions * each
    if len(parameters) % each or len(parameters) < start + directions * each:
        call.refuse("a projection", "use proj_size=0")
    found = []
    for direction in range(directions):
        first = start + direction * each
        arrays = [as_array(item) for item in parameters[first : first + each]]
        zeros = np.zeros(len(arrays[0]), np.float32)
        found.append(arrays if each == 4 else [*arrays, zeros, zeros])
    return found


def _layer(
    call: Call,
    kind: _Kind,
    x: Value,
    weights: Sequence[Sequence[Array]],
    states: Sequence[Value | Array | None],
) -> list[Any]:
    """One layer over x [T, B, I]: its outputs [T, B, D * S], then the last states [D, B, S]."""
    w, r = (np.stack([_gates(kind, each[i]) for each in weights]) for i in (0, 1))
    bias = np.stack([np.concatenate([_gates(kind, each[i]) for i in (2, 3)]) for each in weights])
    units, directions = r.shape[2], len(weights)
    steps, batch, _ = x.layout.shape
    attributes = dict(kind.attributes)
    if "activations" in attributes:
        attributes["activations"] = attributes["activations"] * directions
    if directions == 2:
        attributes["direction"] = "bidirectional"
    operands = [x, w, r, bias, None, *states]
    read = (True, *[True] * len(states))
    made = results_of(
        onnx_call(call, kind.operator, operands, {**attributes, "hidden_size": units}, read)
    )
    y = made[0]
    assert isinstance(y, Value)
    flat = apply(call, "Transpose", y, perm=(0, 2, 1, 3))
    joined = apply(call, "Reshape", flat, [steps, batch, directions * units])
    return [joined, *(_as_value(each) for each in made[1:])]


def _as_value(result: Result) -> Value | None:
    return result if isinstance(result, Value) else None


def _gates(kind: _Kind, values: Array) -> Array:
    """Rows of all gates in ONNX's order."""
    parts = np.split(values, len(kind.order))
    return np.concatenate([parts[gate] for gate in kind.order])


def cell(name: str) -> Translation:
    """The translation of one step of a recurrent layer."""
    kind = _KINDS[name]

    def lower(call: Call) -> Value | list[Value | None]:
        x, given = call.value("input"), call.arguments["hx"]
        arrays = [as_array(call.arguments[key]) for key in ("w_ih", "w_hh")]
        zeros = np.zeros(len(arrays[0]), np.float32)
        for key in ("b_ih", "b_hh"):
            bias = call.arguments.get(key)
            arrays.append(zeros if bias is None else as_array(bias))
        steps = apply(call, "Unsqueeze", x, [0])
        states = [_row(call, state) for state in (given if kind.has_cell else [given])]
        _, *lasts = _layer(call, kind, steps, [arrays], states)
        made = [apply(call, "Squeeze", last, [0]) for last in lasts]
        return list(made) if kind.has_cell else made[0]

    return lower


def _row(call: Call, state: Any) -> Value | Array:
    """A state [B, S] as that of one layer."""
    if isinstance(state, Value):
        return apply(call, "Unsqueeze", state, [0])
    return as_array(state)[np.newaxis]


LAYERS: Mapping[str, Translation] = {
    **dict.fromkeys(("aten.layer_norm.default", "aten.native_layer_norm.default"), layer_norm),
    **dict.fromkeys(("aten.rms_norm.default", "aten._fused_rms_norm.default"), rms_norm),
    "aten.group_norm.default": group_norm,
    "aten.instance_norm.default": instance_norm,
    "aten.scaled_dot_product_attention.default": attention,
    **{f"aten.{name}.input": recurrent(name) for name in _KINDS},
    **{f"aten.{name}_cell.default": cell(name) for name in _KINDS},
}
"""How each aten overload becomes ONNX operators."""
