"""Arithmetic on numbers that are not quanta: float32 and int32, as Micro's kernels do it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import INT32_MAX, INT32_MIN, wrap32
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.broadcast import broadcast_type, operands

PLAIN = (DType.FLOAT32, DType.INT32, DType.UINT32, DType.INT64, DType.UINT64)
"""What arithmetic takes as numbers without a scale."""
FLOAT_MAX = float(np.finfo(np.float32).max)


def float_limits(activation: Activation) -> tuple[float, float]:
    """The clamp of a float op; without activation Micro still clamps to the finite numbers."""
    bounds: tuple[float, float] = activation.value
    low, high = bounds
    return max(low, -FLOAT_MAX), min(high, FLOAT_MAX)


def int32_limits(activation: Activation) -> tuple[int, int]:
    """The clamp of an int32 op."""
    bounds: tuple[float, float] = activation.value
    low, high = bounds
    return (
        int(low) if np.isfinite(low) else INT32_MIN,
        int(high) if np.isfinite(high) else INT32_MAX,
    )


def clamped(values: Array, low: float, high: float) -> Array:
    """Float32 `values` between `low` and `high`; NaN passes, and so does -0 where `low` is 0."""
    floor, ceiling = np.float32(low), np.float32(high)
    return np.where(values < floor, floor, np.where(values > ceiling, ceiling, values))


def finish_plain(values: Array, activation: Activation, output: Tensor) -> tuple[Array, ...]:
    """`values` (float32, or integers that wrap) clamped, in the dtype of `output`."""
    if output.dtype is DType.FLOAT32:
        return (clamped(values.astype(np.float32), *float_limits(activation)),)
    if output.dtype is not DType.INT32:
        return (clipped(values.astype(output.dtype.numpy), activation),)
    limits = int32_limits(activation)
    return (np.clip(wrap32(values), *limits).astype(np.int32),)


def clipped(values: Array, activation: Activation) -> Array:
    """Integers within the finite limits of an activation."""
    low, high = (int(limit) if np.isfinite(limit) else None for limit in activation.value)
    return values if low is None and high is None else np.asarray(np.clip(values, low, high))


def widened(values: Array) -> Array:
    """Operands ready for arithmetic: float32 and uint64 as they are, other integers as int64."""
    return values if values.dtype in (np.float32, np.uint64) else values.astype(np.int64)


def is_quantized(output: Tensor) -> bool:
    """Whether the op works on quanta: 8 or 16 bits with a scale."""
    return output.dtype in (DType.INT8, DType.INT16) and output.quantization is not None


def arithmetic_type(inputs: Sequence[Tensor | None]) -> TensorType:
    """The type of a sum and its kin; raises GraphError for operands that are not numbers to us."""
    kind = broadcast_type(inputs)
    if kind.dtype in PLAIN:
        return kind
    for tensor in operands(inputs):
        if kind.dtype not in (DType.INT8, DType.INT16) or tensor.quantization is None:
            raise GraphError(
                f"operand {tensor.name!r}",
                f"{kind.dtype.label} is neither float32, an integer of 32 or 64 bits, "
                "nor int8 or int16 with a scale",
            )
    return kind


def truncated_quotient(a: Array, b: Array) -> Array:
    """C's a / b on int64 or uint64; 0 where b is 0, which C leaves undefined."""
    divisor = np.where(b == 0, b.dtype.type(1), b)
    with np.errstate(over="ignore"):  # the smallest number over -1 wraps
        floor, remains = a // divisor, a % divisor != 0
    quotient = floor + (remains & ((a < 0) != (b < 0)))
    return np.asarray(np.where(b == 0, b.dtype.type(0), quotient))
