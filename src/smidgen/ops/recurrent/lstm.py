"""The LSTM layer over a sequence, and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.recurrent.lstm_arithmetic import Cell, FloatCell, QuantizedCell

GATES = ("input", "forget", "cell", "output")
INPUT_WEIGHTS, RECURRENT_WEIGHTS, BIASES, HIDDEN, CELL = 1, 5, 9, 13, 14


@dataclass(frozen=True, slots=True)
class Lstm(Op):
    """LSTM over a sequence (UNIDIRECTIONAL_SEQUENCE_LSTM, as TensorFlow Lite Micro has it).

    Inputs: x [B, T, I] (or [T, B, I]), weights [S, I] of the input, forget, cell and output gates,
    recurrent weights [S, S] of the same, biases [S] of the same, hidden and cell state [B, S].
    Outputs: the hidden states [B, T, S] (or [T, B, S]), and the two next states.
    No peepholes, projection, layer normalisation or coupled gates.
    """

    overwrites: ClassVar[tuple[int, ...]] = (HIDDEN, CELL)

    time_major: bool = False
    cell_clip: float = 0.0
    """Bound of the cell state, 0 for none."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The hidden states of every step, and the types of the states."""
        x, weights, hidden, cell = (inputs[i] for i in (0, INPUT_WEIGHTS, HIDDEN, CELL))
        assert x is not None and weights is not None and hidden is not None and cell is not None
        if len(x.shape) != 3 or not x.shape[0] or not weights.shape:
            raise GraphError(f"input {x.name!r}", f"an LSTM takes 3 axes, not {x.shape}")
        units = weights.shape[0]
        batch = x.shape[1 if self.time_major else 0]
        shapes = [(units, x.shape[2])] * 4 + [(units, units)] * 4 + [(units,)] * 4
        for tensor, shape in zip(inputs[1:HIDDEN], shapes, strict=True):
            if tensor is None or tensor.shape != shape:
                raise GraphError(f"LSTM over {x.name!r}", f"a weight is not {shape}")
        if hidden.elements != batch * units or cell.elements != batch * units:
            raise GraphError(f"state {hidden.name!r}", f"does not hold {batch} x {units} values")
        return TensorType(hidden.dtype, (*x.shape[:2], units)), hidden.type, cell.type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Step by step: gates, cell state, hidden state."""
        given = [array for array in inputs if array is not None]
        x = np.swapaxes(given[0], 0, 1) if not self.time_major else given[0]
        cell = self.cell(signature, given)
        batch, units = x.shape[1], signature.output.shape[2]
        hidden = given[HIDDEN].reshape(batch, units)
        memory = given[CELL].reshape(batch, units)
        steps = []
        for step in x:
            hidden, memory = cell.step(step, hidden, memory)
            steps.append(hidden)
        y = np.stack(steps, axis=0 if self.time_major else 1)
        return y, hidden.reshape(given[HIDDEN].shape), memory.reshape(given[CELL].shape)

    def cell(self, signature: Signature, given: Sequence[Array]) -> Cell:
        """The arithmetic of one step, for the types of `signature`."""
        weights = tuple(given[INPUT_WEIGHTS:RECURRENT_WEIGHTS])
        recurrent = tuple(given[RECURRENT_WEIGHTS:BIASES])
        biases = tuple(given[BIASES:HIDDEN])
        if signature.output.dtype is DType.FLOAT32:
            return FloatCell(weights, recurrent, biases, self.cell_clip)
        return QuantizedCell(weights, recurrent, biases, signature, self.cell_clip)

    def macs(self, signature: Signature) -> int:
        """Every weight of every gate, for each step and batch."""
        weights = sum(signature.input(i).elements for i in range(INPUT_WEIGHTS, BIASES))
        batch, steps = signature.input(0).shape[:2]
        return batch * steps * weights
