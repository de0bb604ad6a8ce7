"""One step of an LSTM, in float and in quanta (TensorFlow Lite Micro, lstm_eval.h)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import (
    Multiplier,
    multiply,
    multiply_int64,
    quantize_multiplier,
    wrap32,
)
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.support.sigmoid16 import sigmoid16, tanh16

_GATE_SCALE = 2.0**-12
_ACTIVATED_SCALE = 2.0**-15
_INT16 = (-32768, 32767)
Four = tuple[Array, ...]
"""One array for each of the gates input, forget, cell, output."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell(ABC):
    """What a step needs of the weights."""

    weights: Four
    recurrent: Four
    biases: Four

    @abstractmethod
    def step(self, x: Array, hidden: Array, memory: Array) -> tuple[Array, Array]:
        """The next hidden state and cell state [B, S], from x [B, I] and the last ones."""


@dataclass(frozen=True, slots=True, eq=False)
class FloatCell(Cell):
    """In float64, with the states rounded to float32 after each step."""

    clip: float

    def step(self, x: Array, hidden: Array, memory: Array) -> tuple[Array, Array]:
        """C = f c + i g; h = o tanh(c)."""
        sums = [
            x.astype(np.float64) @ w.T + hidden.astype(np.float64) @ r.T + b
            for w, r, b in zip(self.weights, self.recurrent, self.biases, strict=True)
        ]
        opened, kept, shown = (1.0 / (1.0 + np.exp(-sums[gate])) for gate in (0, 1, 3))
        memory = kept * memory + opened * np.tanh(sums[2])
        if self.clip > 0.0:
            memory = np.clip(memory, -self.clip, self.clip)
        return (shown * np.tanh(memory)).astype(np.float32), memory.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Factors:
    """The multipliers and shifts of a quantised LSTM."""

    inputs: tuple[Multiplier, ...]
    recurrent: tuple[Multiplier, ...]
    keep: Multiplier
    add: Multiplier
    show: Multiplier
    tanh_multiplier: int
    tanh_shift: int
    clip: int

    @staticmethod
    def of(signature: Signature, clip: float) -> Factors:
        """From the scales of the operands (lstm_eval_common.cc)."""
        hidden, cell = signature.input(13), signature.input(14)
        x = signature.input(0)
        scale = cell.quant.scale
        left = 15 - 3 + round(math.log2(scale))
        clipped = min(max(float(np.float32(clip)) / scale, -32768.0), 32767.0)
        return Factors(
            inputs=tuple(_gate_multiplier(x, signature.input(i)) for i in range(1, 5)),
            recurrent=tuple(_gate_multiplier(hidden, signature.input(i)) for i in range(5, 9)),
            keep=quantize_multiplier(_ACTIVATED_SCALE * scale / scale),
            add=quantize_multiplier(_ACTIVATED_SCALE * _ACTIVATED_SCALE / scale),
            show=quantize_multiplier(_ACTIVATED_SCALE * _ACTIVATED_SCALE / hidden.quant.scale),
            tanh_multiplier=3 << left if left >= 0 else 3,
            tanh_shift=max(-left, 0),
            clip=int(clipped) if clip > 0.0 else 0,
        )


def _gate_multiplier(x: Tensor, weights: Tensor) -> Multiplier:
    """From products to Q3.12, through a float32 product of scales."""
    product = float(np.float32(x.quant.scale) * np.float32(weights.quant.scale))
    return quantize_multiplier(product / _GATE_SCALE)


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedCell(Cell):
    """In quanta: gates Q3.12, activated gates Q0.15, a 16-bit cell state."""

    signature: Signature
    clip: float

    def step(self, x: Array, hidden: Array, memory: Array) -> tuple[Array, Array]:
        """As in float, each product and sum saturated to 16 bits."""
        factors = Factors.of(self.signature, self.clip)
        gates = [self._gate(gate, factors, x, hidden) for gate in range(4)]
        opened, kept, shown = (sigmoid16(3 * gates[gate]) for gate in (0, 1, 3))
        memory = _product(kept, memory.astype(np.int64), factors.keep)
        memory = np.clip(memory + _product(opened, tanh16(3 * gates[2]), factors.add), *_INT16)
        if factors.clip:
            memory = np.clip(memory, -factors.clip, factors.clip)
        return self._hidden(memory, shown, factors), memory.astype(np.int16)

    def _gate(self, gate: int, factors: Factors, x: Array, hidden: Array) -> Array:
        source, state = self.signature.input(0), self.signature.input(13)
        wide = source.dtype is DType.INT16
        bias = self.biases[gate].astype(np.int64)
        fed = _layer(source, x, self.weights[gate], bias, factors.inputs[gate], wide)
        nothing = np.zeros_like(bias)
        back = _layer(state, hidden, self.recurrent[gate], nothing, factors.recurrent[gate], wide)
        saturated: Array = np.clip(fed + back, *_INT16)
        return saturated

    def _hidden(self, memory: Array, shown: Array, factors: Factors) -> Array:
        state = self.signature.input(13)
        half = 1 << (factors.tanh_shift - 1) if factors.tanh_shift else 0
        scaled = (memory * factors.tanh_multiplier + half) >> factors.tanh_shift
        product = multiply(tanh16(scaled) * shown, factors.show.mantissa, factors.show.shift)
        quanta: Array = np.clip(product + state.quant.zero_point, *state.dtype.range)
        return quanta.astype(state.dtype.numpy)


def _layer(
    source: Tensor, x: Array, weights: Array, bias: Array, factor: Multiplier, wide: bool
) -> Array:
    centred = x.astype(np.int64) - source.quant.zero_point
    sums = centred @ weights.astype(np.int64).T + bias
    if wide:
        return np.clip(multiply_int64(sums, factor.mantissa, factor.shift), *_INT16)
    return np.clip(multiply(wrap32(sums), factor.mantissa, factor.shift), *_INT16)


def _product(a: Array, b: Array, factor: Multiplier) -> Array:
    return np.clip(multiply(a * b, factor.mantissa, factor.shift), *_INT16)
