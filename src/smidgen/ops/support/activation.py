"""Activations that TensorFlow Lite fuses into other ops, as a clamp of their output."""

from __future__ import annotations

from enum import Enum

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import round_half_away
from smidgen.graph.tensor import Tensor


class Activation(Enum):
    """A fused activation, as the real interval that it clamps to."""

    NONE = (-np.inf, np.inf)
    RELU = (0.0, np.inf)
    RELU6 = (0.0, 6.0)
    RELU_N1_TO_1 = (-1.0, 1.0)

    @property
    def label(self) -> str:
        """The lower-case name used in printed graphs."""
        return self.name.lower()


def clamp_range(activation: Activation, output: Tensor) -> tuple[int, int]:
    """The clamp in quanta of `output` (kernel_util.cc, CalculateActivationRangeQuantized)."""
    lowest, highest = output.dtype.range
    low, high = activation.value
    if np.isfinite(low):
        lowest = max(lowest, _quantum(low, output))
    if np.isfinite(high):
        highest = min(highest, _quantum(high, output))
    return lowest, highest


def _quantum(real: float, output: Tensor) -> int:
    with np.errstate(over="ignore"):
        quotient = np.float32(real) / np.float32(output.quant.scale)
    # A tiny scale may make it infinite; beyond the range of int32 all bounds are the same.
    bounded = np.clip(np.asarray(quotient, np.float64), -(2.0**31), 2.0**31)
    return output.quant.zero_point + int(round_half_away(bounded))


def finish(values: Array, activation: Activation, output: Tensor) -> tuple[Array, ...]:
    """`values` clamped by `activation`, in the dtype of `output`; integers are quanta already."""
    if output.dtype is DType.FLOAT32:
        low, high = activation.value
        return (np.clip(values, low, high).astype(np.float32),)
    lowest, highest = clamp_range(activation, output)
    return (np.clip(values, lowest, highest).astype(output.dtype.numpy),)
