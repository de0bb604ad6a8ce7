"""A network under construction: tensors, operators, and which values are still free to be used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from support.tflite_writer import OperatorSpec, SubgraphSpec, TensorSpec, write_model

T = TypeVar("T")
Shape = tuple[int, ...]
QUANTISED = ("int8", "int16")
PLAIN_REACH = 4.0
_TAMEST, _WILDEST = 2.0**-24, 64.0
"""Scales outside are an end: further layers would shift by more bits than a word has."""


@dataclass(frozen=True)
class Value:
    """A tensor of the network while it runs.

    `low` and `high` bound plain numbers (floats, int32), so that nothing overflows; `exact` says
    that a float has the same bits everywhere, so that a step function may follow.
    """

    index: int
    shape: Shape
    dtype: str
    scale: float | None = None
    zero_point: int = 0
    low: float = 0.0
    high: float = 0.0
    exact: bool = True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def quantised(self) -> bool:
        """Whether it has a scale."""
        return self.scale is not None


@dataclass
class Net:
    """Grows operator by operator; `rng` makes every choice.

    `beyond_micro` says that TensorFlow Lite Micro is no judge of this one.
    """

    rng: np.random.Generator
    tensors: list[TensorSpec] = field(default_factory=list)
    operators: list[OperatorSpec] = field(default_factory=list)
    subgraphs: list[SubgraphSpec] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    beyond_micro: bool = False

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        """True in so many cases."""
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def tensor(self, spec: TensorSpec) -> int:
        """A tensor of the file; returns its index."""
        self.tensors.append(spec)
        return len(self.tensors) - 1

    def constant(self, values: Any, dtype: str = "int32", **more: Any) -> int:
        """A constant tensor; `more` are fields of `TensorSpec`."""
        data = np.asarray(values, dtype if dtype != "int4" else "int8")
        return self.tensor(TensorSpec(list(data.shape), dtype, data=data, **more))

    def value(self, like: Value) -> Value:
        """A new tensor of the same kind as `like`, whose index is ignored."""
        spec = TensorSpec(list(like.shape), like.dtype, like.scale, like.zero_point)
        return replace(like, index=self.tensor(spec))

    def input(self, like: Value) -> Value:
        """A new input of the network."""
        made = self.value(like)
        self.inputs.append(made)
        return made

    def add(
        self,
        name: str,
        inputs: Sequence[Value | int],
        outputs: Sequence[Value],
        options: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> list[Value]:
        """An operator; `outputs` say what it makes. Returns them with their tensors."""
        made = [self.value(output) for output in outputs]
        places = [value.index if isinstance(value, Value) else value for value in inputs]
        self.used.update(places)
        results = [value.index for value in made]
        self.operators.append(OperatorSpec(name, places, results, options, **more))
        self.values.extend(made)
        for value in made:
            if value.scale and not _TAMEST < value.scale < _WILDEST:
                self.close(value)
        return made

    def close(self, value: Value) -> None:
        """Nothing more may read `value`."""
        self.closed.add(value.index)

    def open_values(self) -> list[Value]:
        """What a further layer may read."""
        return [value for value in self.values if value.index not in self.closed]

    def outputs(self) -> list[int]:
        """Whatever nobody used, and now and then something that somebody did."""
        given = {value.index for value in self.inputs}
        ends = [value.index for value in self.values if value.index not in self.used]
        inner = [v.index for v in self.values if v.index in self.used and v.index not in given]
        if inner and self.chance(0.15):
            ends.append(self.pick(inner))
        return ends

    def file(self, outputs: Sequence[int]) -> bytes:
        """The .tflite file."""
        inputs = [value.index for value in self.inputs]
        return write_model(self.tensors, self.operators, inputs, list(outputs), more=self.subgraphs)


def zero_point(net: Net, dtype: str) -> int:
    """Any zero point of int8, its ends more often; 0 for all else."""
    return net.pick([-128, 127, 0, net.whole(-128, 127)]) if dtype == "int8" else 0


def scale(net: Net, dtype: str) -> float | None:
    """An ordinary scale of a quantised activation."""
    if dtype not in QUANTISED:
        return None
    low, high = (-8, -2) if dtype == "int8" else (-15, -9)
    return float(np.float32(2 ** net.rng.uniform(low, high)))


def output_scale(net: Net, natural: float, most: float = 4.0) -> float:
    """A scale near `natural`; now and then one that saturates or makes the multiplier vanish.

    `most` is how many times smaller than natural a scale may be before arithmetic overflows.
    """
    kind = net.rng.random()
    factor = 2 ** net.rng.uniform(-1, 2)
    if kind < 0.12:
        factor = 1 / 2 ** net.rng.uniform(0, math.log2(most))
    elif kind < 0.22:
        factor = 2 ** net.rng.uniform(2, 40)
    return float(np.float32(natural * factor))


def kind_of(net: Net, shape: Shape, dtype: str) -> Value:
    """A value of that type with random quantisation, not yet in the network."""
    low, high = (-PLAIN_REACH, PLAIN_REACH) if dtype == "float32" else (-50.0, 50.0)
    return Value(-1, tuple(shape), dtype, scale(net, dtype), zero_point(net, dtype), low, high)


def like(x: Value, shape: Sequence[int] | None = None, **changes: Any) -> Value:
    """A value of the type and quantisation of `x`."""
    return replace(x, shape=tuple(x.shape if shape is None else shape), **changes)


def random_data(net: Net, kind: Value) -> np.ndarray:
    """Values of the whole type, or within the bounds; often at the ends only, or all equal."""
    rng, shape = net.rng, kind.shape
    if kind.dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if kind.dtype == "float32":
        return rng.uniform(kind.low, kind.high, shape).astype(np.float32)
    info = np.iinfo(kind.dtype)
    low, high = (info.min, info.max) if kind.quantised else (int(kind.low), int(kind.high))
    mood = rng.random()
    if mood < 0.15:
        return rng.choice(np.array([low, high]), shape).astype(kind.dtype)
    if mood < 0.2:
        return np.full(shape, rng.integers(low, high + 1)).astype(kind.dtype)
    return rng.integers(low, high + 1, shape).astype(kind.dtype)
