"""The transposed convolution and its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.requantize import centred, exact_int, per_channel, real, requantize
from smidgen.ops.support.weights import check_weights
from smidgen.ops.support.window import Padding


@dataclass(frozen=True, slots=True)
class TransposeConv2D(Op):
    """Transposed 2-D convolution, NHWC input, OHWI weights, bias [O] (TRANSPOSE_CONV).

    Each input pixel adds its window of products to the output at stride times its place, less the
    padding: y[r,c,o] = sum over h, w, i with r = stride * row - top + h of w[o,h,w,i] x[row,col,i].
    """

    size: tuple[int, int]
    """Rows and columns of the output."""
    stride: tuple[int, int] = (1, 1)
    padding: Padding = Padding()
    """Of the convolution that this one transposes: rows and columns cut off the output."""
    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, *size, O]; input and weights must have the same channels."""
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        if len(x.shape) != 4 or len(weights.shape) != 4 or x.shape[3] != weights.shape[3]:
            raise GraphError(f"weights {weights.name!r}", f"{weights.shape} over input {x.shape}")
        check_weights(weights, inputs[2] if len(inputs) > 2 else None, 0)
        return (TensorType(x.dtype, (x.shape[0], *self.size, weights.shape[0])),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sum of scattered products, bias, requantisation, clamp; 16-bit inputs sum in 64 bits."""
        x, weights, bias = inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None
        assert x is not None and weights is not None
        output = signature.output
        value = real if output.dtype is DType.FLOAT32 else centred
        sums = self._scatter(value(x, signature.input(0)), value(weights, signature.input(1)))
        if output.dtype is DType.FLOAT32:
            return finish(sums + (0.0 if bias is None else bias), self.activation, output)
        accumulator = exact_int(sums) + (0 if bias is None else bias.astype(np.int64))
        multipliers = per_channel(signature.input(0), signature.input(1), output, sums.shape[-1])
        wide = output.dtype is DType.INT16
        return finish(requantize(accumulator, multipliers, output, wide), self.activation, output)

    def macs(self, signature: Signature) -> int:
        """Input elements times the window's weights for each."""
        rows, cols = signature.input(0).shape[1:3]
        return signature.input(0).shape[0] * rows * cols * math.prod(signature.input(1).shape)

    def _scatter(self, x: Array, weights: Array) -> Array:
        """The full sums, of which the output is the part that starts at the padding."""
        batches, rows, cols, _ = x.shape
        outputs, height, width, _ = weights.shape
        full = np.zeros(
            (
                batches,
                max((rows - 1) * self.stride[0] + height, self.padding.top + self.size[0]),
                max((cols - 1) * self.stride[1] + width, self.padding.left + self.size[1]),
                outputs,
            )
        )
        for h in range(height):
            for w in range(width):
                last = (h + (rows - 1) * self.stride[0] + 1, w + (cols - 1) * self.stride[1] + 1)
                target = full[:, h : last[0] : self.stride[0], w : last[1] : self.stride[1]]
                target += x @ weights[:, h, w, :].T
        top, left = self.padding.top, self.padding.left
        return full[:, top : top + self.size[0], left : left + self.size[1]]
