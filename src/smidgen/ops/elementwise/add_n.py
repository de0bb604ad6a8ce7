"""The sum of many tensors of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.operands import required

ADD_N_SHIFT = 20
MOST_INPUTS = 8
"""Pointers that smg_add_n.h takes."""


@dataclass(frozen=True, slots=True)
class AddN(Op):
    """Sum of any number of tensors of one type (TensorFlow Lite, ADD_N)."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The type of every input; raises GraphError where they differ in it or in their scale."""
        first, *others = required(inputs, max(len(inputs), 1))
        for other in others:
            same_scale = first.dtype is DType.FLOAT32 or first.quantization == other.quantization
            if other.type != first.type or not same_scale:
                raise GraphError(f"operand {other.name!r}", f"is not of the type of {first.name!r}")
        return (first.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Floats in order. Quanta as Micro does, which counts the input's zero point once more."""
        if signature.output.dtype is DType.FLOAT32:
            return (_float_sum(inputs),)
        source, output = signature.input(0).quant, signature.output
        total = np.full(output.shape, -source.zero_point, np.int64)
        for values in inputs:
            assert values is not None
            total += values.astype(np.int64) - source.zero_point
        factor = add_n_multiplier(signature)
        # The inputs' own factor is 1/2 exactly, whatever their scale.
        scaled = multiply(total << (ADD_N_SHIFT - 1), factor.mantissa, factor.shift)
        return finish(scaled + output.quant.zero_point, Activation.NONE, output)


def _float_sum(inputs: Sequence[Array | None]) -> Array:
    assert inputs[0] is not None
    total = np.zeros_like(inputs[0])
    with np.errstate(all="ignore"):
        for values in inputs:
            assert values is not None
            total = total + values
    return total


def add_n_multiplier(signature: Signature) -> Multiplier:
    """From the common scale, twice the inputs' and finer by 2**20, to the output's (add_n.cc)."""
    common = 2.0 * signature.input(0).quant.scale
    return quantize_multiplier(common / ((1 << ADD_N_SHIFT) * signature.output.quant.scale))
