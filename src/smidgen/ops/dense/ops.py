"""The fully connected op and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.requantize import (
    Multipliers,
    centred,
    exact_int,
    is_wide,
    per_channel,
    per_tensor,
    real,
    requantize,
)
from smidgen.ops.support.weights import check_weights


@dataclass(frozen=True, slots=True)
class Dense(Op):
    """y = x W^T + b for x [..., I], weights [O, I], bias [O] (TensorFlow Lite, FULLY_CONNECTED)."""

    activation: Activation = Activation.NONE
    keep_dims: bool = False
    """Whether the leading axes of x stay, or become one."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[rows, O], or x's shape with its last axis replaced by O where `keep_dims`."""
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        check_weights(weights, inputs[2] if len(inputs) > 2 else None, 0)
        if len(weights.shape) != 2 or not x.elements or x.elements % weights.shape[1]:
            raise GraphError(f"weights {weights.name!r}", f"{weights.shape} over input {x.shape}")
        outputs, depth = weights.shape
        if self.keep_dims:
            return (TensorType(x.dtype, (*x.shape[:-1], outputs)),)
        return (TensorType(x.dtype, (x.elements // depth, outputs)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Dot products, bias, requantisation, clamp."""
        x, weights, bias = inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None
        assert x is not None and weights is not None
        value = real if signature.output.dtype is DType.FLOAT32 else centred
        rows = value(x, signature.input(0)).reshape(-1, weights.shape[1])
        sums = rows @ value(weights, signature.input(1)).T
        output = signature.output
        sums = sums.reshape(output.shape)
        if output.dtype is DType.FLOAT32:
            return finish(sums + (0.0 if bias is None else bias), self.activation, output)
        accumulator = exact_int(sums) + (0 if bias is None else bias.astype(np.int64))
        wide = is_wide(signature.input(0), signature.optional(2))
        return finish(
            requantize(accumulator, multipliers(signature), output, wide), self.activation, output
        )

    def macs(self, signature: Signature) -> int:
        """Output elements times the depth."""
        return signature.output.elements * signature.input(1).shape[1]


def multipliers(signature: Signature) -> Multipliers:
    """The layer's multipliers: one, or one per output for per-channel weights."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    if len(weights.quant.scales) > 1:
        return per_channel(x, weights, output, weights.shape[0])
    return per_tensor(x, weights, output)
