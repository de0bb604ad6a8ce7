"""Operators that keep a variable tensor from one run to the next, such as LSTM and SVDF."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.frontends.tflite.conversion import Conversion
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.graph.op import Op
from smidgen.ops.state.ops import AssignState

MOST_STATE_ELEMENTS = 1 << 24
"""A file could name any number; no microcontroller has so much memory."""


def variable(conversion: Conversion, operator: TfliteOperator, position: int) -> str:
    """The graph's state for the variable tensor at input `position`.

    It starts as Micro resets it: int8 at its zero point, everything else at 0
    (micro_interpreter_graph.cc, ResetVariableTensors).
    """
    tensor = conversion.tensor(operator, position)
    if not tensor.is_variable:
        raise ModelFileError(
            conversion.where(operator), f"its input {position} is no variable tensor"
        )
    if math.prod(tensor.shape) > MOST_STATE_ELEMENTS:
        raise UnsupportedOp(
            conversion.where(operator),
            f"keeps {math.prod(tensor.shape)} values from one run to the next",
            f"{MOST_STATE_ELEMENTS} are the most",
        )
    if tensor.index not in conversion.names:
        dtype, quantization = conversion.dtype(tensor), conversion.quantization(tensor)
        start = quantization.zero_point if quantization and dtype is DType.INT8 else 0
        initial = np.full(tensor.shape, start, dtype.numpy)
        conversion.builder.state(conversion.name_of(tensor), dtype, initial, quantization)
    return conversion.names[tensor.index]


def own_state(conversion: Conversion, operator: TfliteOperator, initial: Array) -> str:
    """A state that the file does not show: it lives inside the operator."""
    name = conversion.fresh(f"{operator.name}_{operator.index}_state")
    return conversion.builder.state(name, DType.parse(str(initial.dtype)), initial)


def emit_stateful(
    conversion: Conversion,
    operator: TfliteOperator,
    op: Op,
    inputs: Sequence[str],
    states: Sequence[str],
) -> None:
    """Append `op`, whose last inputs are `states` and whose last outputs are their next values."""
    builder = conversion.builder
    more = [
        (conversion.fresh(f"{name}_next"), builder.tensor(name).quantization) for name in states
    ]
    conversion.emit_named(operator, op, [*inputs, *states], more)
    for state, (value, _) in zip(states, more, strict=True):
        builder.add(AssignState(), [state, value])
