"""LSTM, GRU and RNN over sequences: an LSTM is one op, the others are written out step by step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call, Lowering, Result
from smidgen.frontends.onnx.reduction import reversed_along
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.graph.op import Op
from smidgen.ops.activation.functions import Logistic, Tanh
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.recurrent.lstm import Lstm
from smidgen.ops.shape.join import Concat, Split
from smidgen.ops.shape.slicing import Slice

MAX_STEPS = 256
"""Steps that a GRU or RNN is written out for."""
_DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One direction: weights [G, S, I], recurrent ones [G, S, S], biases [G, S] of both."""

    weights: Array
    recurrent: Array
    bias: Array
    recurrent_bias: Array
    reverse: bool
    hidden: str
    cell: str = ""

    @property
    def units(self) -> int:
        """The size of the hidden state."""
        return int(self.recurrent.shape[2])


@dataclass(frozen=True, slots=True)
class Sequence3:
    """The input as a tensor [T, B, I]."""

    tensor: str
    steps: int
    batch: int
    inputs: int
    slots: Array
    """Which input feature lies in each place of the last axis."""


Outcome = tuple[str, ...]
"""Tensors: hidden states [T, B, S], last hidden state [B, S], for an LSTM last cell state."""


def lstm(call: Call) -> tuple[Result, ...]:
    """One Lstm op a direction."""
    if call.optional(7) is not None or call.attribute("input_forget", 0):
        call.refuse("peepholes or coupled gates", "use a plain LSTM")
    _require_activations(call, ("Sigmoid", "Tanh", "Tanh"))
    sequence = _sequence(call)
    layers = _layers(call, sequence, 4, with_cell=True)
    return _joined(call, sequence, [_lstm(call, sequence, layer) for layer in layers])


def _lstm(call: Call, sequence: Sequence3, layer: Layer) -> Outcome:
    x = reversed_along(call, sequence.tensor, 0) if layer.reverse else sequence.tensor
    order = (0, 2, 3, 1)  # ONNX has input, output, forget, cell
    parts = [
        *(layer.weights[gate] for gate in order),
        *(layer.recurrent[gate] for gate in order),
        *(layer.bias[gate] + layer.recurrent_bias[gate] for gate in order),
    ]
    constants = [call.scope.constant(f"{call.stem}_weights", part) for part in parts]
    op = Lstm(time_major=True)
    inputs = [x, *constants, layer.hidden, layer.cell]
    hidden, last, cell = call.scope.append(op, inputs, call.scope.fresh(call.stem))
    return (reversed_along(call, hidden, 0) if layer.reverse else hidden), last, cell


class Step(ABC):
    """How one step of a layer that is written out computes its next state."""

    gates: ClassVar[int]

    def input_bias(self, layer: Layer) -> Array:
        """What is added to the contribution of the input, [G, S]."""
        return layer.bias

    def recurrent_bias(self, layer: Layer) -> Array:
        """What is added to the contribution of the state, [G * S]."""
        return layer.recurrent_bias.reshape(-1)

    @abstractmethod
    def run(self, call: Call, fed: str, hidden: str, weights: tuple[str, str]) -> str:
        """The next state [B, S] from the input's sums [B, G * S] and the last state."""


class RnnStep(Step):
    """H = f(x W + h R + b)."""

    gates = 1

    def __init__(self, activation: Op) -> None:
        self._activation = activation

    def run(self, call: Call, fed: str, hidden: str, weights: tuple[str, str]) -> str:
        """One sum and one activation."""
        back = _add(call, Dense(), [hidden, *weights])
        return _add(call, self._activation, [_add(call, Add(), [fed, back])])


class GruStep(Step):
    """Update gate z, reset gate r, candidate c; h = (1 - z) c + z h = c + z (h - c)."""

    gates = 3

    def __init__(self, linear_before_reset: bool) -> None:
        self._linear_before_reset = linear_before_reset

    def run(self, call: Call, fed: str, hidden: str, weights: tuple[str, str]) -> str:
        """The gates, then the candidate from the state that the reset gate leaves."""
        units = call.scope.shape(hidden)[1]
        gate_sums, candidate_sums = self._sums(call, fed, units)
        if self._linear_before_reset:
            gate_back, back = self._sums(call, _add(call, Dense(), [hidden, *weights]), units)
            gates = self._gates(call, gate_sums, gate_back)
            reset = _add(call, Mul(), [gates[1], back])
        else:
            gate_back = _add(call, Dense(), [hidden, *self._part(call, weights, 0, 2 * units)])
            gates = self._gates(call, gate_sums, gate_back)
            kept = _add(call, Mul(), [gates[1], hidden])
            last = self._part(call, weights, 2 * units, 3 * units)
            reset = _add(call, Dense(), [kept, *last])
        candidate = _add(call, Tanh(), [_add(call, Add(), [candidate_sums, reset])])
        distance = _add(call, Sub(), [hidden, candidate])
        return _add(call, Add(), [candidate, _add(call, Mul(), [gates[0], distance])])

    @staticmethod
    def _sums(call: Call, sums: str, units: int) -> tuple[str, str]:
        """The sums of the two gates, and those of the candidate."""
        gates, candidate = call.scope.add(Split(1, (2 * units, units)), [sums], call.stem)
        return gates, candidate

    @staticmethod
    def _gates(call: Call, fed: str, back: str) -> tuple[str, str]:
        opened = _add(call, Logistic(), [_add(call, Add(), [fed, back])])
        units = call.scope.shape(opened)[1] // 2
        update, reset = call.scope.add(Split(1, (units, units)), [opened], call.stem)
        return update, reset

    @staticmethod
    def _part(call: Call, weights: tuple[str, str], first: int, last: int) -> list[str]:
        """The rows of weights and bias that belong to some gates."""
        names = []
        for name in weights:
            part = f"{name}_{first}_{last}"
            if part not in call.scope.taken:
                values = call.scope.builder.tensor(name).values[first:last]
                call.scope.constant(part, values)
            names.append(part)
        return names


def gru(call: Call) -> tuple[Result, ...]:
    """A GRU, written out step by step."""
    _require_activations(call, ("Sigmoid", "Tanh"))
    return _unrolled(call, GruStep(bool(call.attribute("linear_before_reset", 0))))


def rnn(call: Call) -> tuple[Result, ...]:
    """A layer that reads its own output, written out step by step."""
    given = call.node.attributes.get("activations") or ("Tanh",)
    known: Mapping[object, Op] = {"Tanh": Tanh(), "Relu": Clamp(), "Sigmoid": Logistic()}
    kinds = set(given) if isinstance(given, tuple) else set()
    if len(kinds) != 1 or not kinds <= set(known):
        call.refuse(f"activations {given}", "use Tanh, Relu or Sigmoid")
    return _unrolled(call, RnnStep(known[kinds.pop()]))


def _unrolled(call: Call, step: Step) -> tuple[Result, ...]:
    sequence = _sequence(call)
    if sequence.steps > MAX_STEPS:
        call.refuse(
            f"a sequence of {sequence.steps} steps",
            f"shorten it to {MAX_STEPS}, or use an LSTM, which is one op",
        )
    layers = _layers(call, sequence, step.gates, with_cell=False)
    return _joined(call, sequence, [_run(call, sequence, layer, step) for layer in layers])


def _run(call: Call, sequence: Sequence3, layer: Layer, step: Step) -> Outcome:
    """The steps of one direction; what the input contributes is computed for all at once."""
    gates, units = layer.weights.shape[:2]
    rows = call.scope.reshape(sequence.tensor, (sequence.steps * sequence.batch, sequence.inputs))
    weights = layer.weights.reshape(gates * units, -1)
    bias = step.input_bias(layer).reshape(-1)
    sums = call.emit(Dense(), [rows], {"weights": weights, "bias": bias})
    each = _pieces(call, sums, sequence.steps)
    back = (
        call.scope.constant(f"{call.stem}_recurrent", layer.recurrent.reshape(gates * units, -1)),
        call.scope.constant(f"{call.stem}_recurrent_bias", step.recurrent_bias(layer)),
    )
    hidden, states = layer.hidden, [""] * sequence.steps
    order = range(sequence.steps)
    for index in reversed(order) if layer.reverse else order:
        hidden = step.run(call, each[index], hidden, back)
        states[index] = hidden
    joined = states[0] if len(states) == 1 else _add(call, Concat(0), states)
    return call.scope.reshape(joined, (sequence.steps, sequence.batch, units)), hidden


def _pieces(call: Call, tensor: str, count: int) -> tuple[str, ...]:
    """`tensor` cut into `count` equal pieces along its first axis."""
    if count == 1:
        return (tensor,)
    size = call.scope.shape(tensor)[0] // count
    return call.scope.add(Split(0, (size,) * count), [tensor], call.stem)


def _add(call: Call, op: Op, inputs: Sequence[str]) -> str:
    return call.scope.add(op, inputs, call.stem)[0]


def _require_activations(call: Call, wanted: tuple[str, ...]) -> None:
    given = call.node.attributes.get("activations")
    directions = len(_directions(call))
    if given is not None and given != wanted * directions:
        call.refuse(f"activations {given}", f"use the usual ones: {wanted}")


def _directions(call: Call) -> tuple[bool, ...]:
    """For each direction, whether it is backwards."""
    direction = call.text("direction", "forward")
    if direction not in _DIRECTIONS:
        call.damaged(f"there is no direction {direction!r}")
    return _DIRECTIONS[direction]


def _sequence(call: Call) -> Sequence3:
    """The input in time-major order."""
    x = call.real_value(0)
    if len(x.layout.axes) != 3:
        call.damaged(f"its input has {len(x.layout.axes)} axes, not 3")
    lengths = call.optional_constant(4, "lengths of sequences")
    layout = x.layout.permuted((1, 0, 2)) if call.attribute("layout", 0) else x.layout
    steps, batch, inputs = layout.shape
    if lengths is not None and np.any(lengths != steps):
        call.refuse("sequences of different lengths", "give it sequences of full length")
    if "clip" in call.node.attributes:
        call.refuse("clip", "train without clipping inside the cell")
    if layout.is_prefix((0, 1)) and layout.is_suffix(2):
        tensor = call.scope.reshape(x.tensor, layout.shape)
        return Sequence3(tensor, steps, batch, inputs, layout.slots(2))
    tensor = call.scope.laid(Value(x.tensor, layout), (0, 1, 2))
    return Sequence3(tensor, steps, batch, inputs, np.arange(inputs))


def _layers(call: Call, sequence: Sequence3, gates: int, with_cell: bool) -> list[Layer]:
    weights, recurrent = (call.constant(i, "weights").astype(np.float64) for i in (1, 2))
    flags = _directions(call)
    units = recurrent.shape[-1] if recurrent.ndim == 3 else 0
    rows = gates * units
    bias = call.optional_constant(3, "bias")
    bias = np.zeros((len(flags), 2 * rows)) if bias is None else bias.astype(np.float64)
    fits = weights.shape == (len(flags), rows, sequence.inputs)
    fits = fits and recurrent.shape == (len(flags), rows, units)
    if not fits or bias.shape != (len(flags), 2 * rows) or not units:
        call.damaged(f"weights {weights.shape} and {recurrent.shape} do not fit its input")
    states = (sequence.batch, units)
    return [
        Layer(
            weights[d].reshape(gates, units, -1)[..., sequence.slots],
            recurrent[d].reshape(gates, units, units),
            bias[d, :rows].reshape(gates, units),
            bias[d, rows:].reshape(gates, units),
            reverse,
            _initial(call, 5, d, states),
            _initial(call, 6, d, states) if with_cell else "",
        )
        for d, reverse in enumerate(flags)
    ]


def _initial(call: Call, index: int, direction: int, shape: tuple[int, int]) -> str:
    """The state [B, S] that a direction starts from; zeros where none is given."""
    given = call.optional(index)
    if given is None or (isinstance(given, Constant) and not given.values.any()):
        return call.scope.constant(f"{call.stem}_zeros", np.zeros(shape))
    value = call.value(index)
    layout = value.layout.permuted((1, 0, 2)) if call.attribute("layout", 0) else value.layout
    count = len(_directions(call))
    if layout.shape != (count, *shape):
        call.damaged(f"its initial state has the shape {list(layout.shape)}")
    tensor = call.scope.laid(Value(value.tensor, layout), (0, 1, 2))
    if count > 1:
        part = Slice((direction, 0, 0), (1, *shape), (1, 1, 1))
        tensor = call.moved(part, tensor)
    return call.scope.reshape(tensor, shape)


def _joined(call: Call, sequence: Sequence3, outcomes: Sequence[Outcome]) -> tuple[Result, ...]:
    """Y [T, D, B, S], then the last states [D, B, S]; with layout 1 the batch comes first."""
    units = call.scope.shape(outcomes[0][0])[2]
    shapes = [
        (sequence.steps, 1, sequence.batch, units),
        *[(1, sequence.batch, units)] * (len(outcomes[0]) - 1),
    ]
    results: list[Result] = []
    for place, shape in enumerate(shapes):
        if not (place < len(call.read) and call.read[place]):
            results.append(None)
            continue
        parts = [call.scope.reshape(outcome[place], shape) for outcome in outcomes]
        axis = 1 if place == 0 else 0
        whole = parts[0] if len(parts) == 1 else _add(call, Concat(axis), parts)
        layout = Layout.of(call.scope.shape(whole))
        if call.attribute("layout", 0):
            layout = layout.permuted((2, 0, 1, 3) if place == 0 else (1, 0, 2))
        results.append(Value(whole, layout))
    return tuple(results)


RECURRENT: Mapping[str, Lowering] = {"LSTM": lstm, "GRU": gru, "RNN": rnn}
