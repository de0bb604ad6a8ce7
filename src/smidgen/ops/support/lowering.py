"""What the kernels of several families do to their constants before they become C."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import CArray
from smidgen.ops.support.requantize import Multipliers


def constant(signature: Signature, index: int) -> Array:
    """The values of input `index`, a constant, as int64."""
    return signature.input(index).values.astype(np.int64)


def bias_or_zeros(signature: Signature, channels: int) -> Array:
    """The bias (input 2) as int64, or zeros where the layer has none."""
    bias = signature.optional(2)
    return np.zeros(channels, np.int64) if bias is None else bias.values.astype(np.int64)


def weights_are_constant(signature: Signature) -> bool:
    """Whether weights and bias are known at compile time, so that they can be packed."""
    bias = signature.optional(2)
    fits = bias is None or (bias.is_constant and bias.dtype.is_integer)
    return signature.input(1).is_constant and fits


def all_int8(*tensors: Tensor) -> bool:
    """Whether every tensor is int8 and quantised."""
    return all(t.dtype is DType.INT8 and t.quantization is not None for t in tensors)


def wrapped_int32(values: Array) -> Array:
    """`values` modulo 2**32 as int32: bias sums wrap as the accumulator that they join does."""
    return (values & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def bias_table(values: Array) -> CArray:
    """A bias, with whatever was folded into it, as a C table."""
    return CArray(DType.INT32, wrapped_int32(values), "bias, input zero point folded in")


def multiplier_tables(multipliers: Multipliers) -> tuple[tuple[str, CArray], ...]:
    """The `mantissas` and `shifts` fields of a kernel's parameters."""
    return (
        ("mantissas", CArray(DType.INT32, multipliers.mantissas.astype(np.int32))),
        ("shifts", CArray(DType.INT8, multipliers.shifts.astype(np.int8))),
    )
