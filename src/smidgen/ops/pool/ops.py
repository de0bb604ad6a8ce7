"""The pooling ops and their reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import rounded_div
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.operands import only
from smidgen.ops.support.window import Padding, output_size, patches


@dataclass(frozen=True, slots=True)
class _Pool2D(Op):
    """What both poolings share: a window over each channel of an NHWC image."""

    window: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding = Padding()
    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, rows, columns, C]."""
        x = only(inputs)
        if len(x.shape) != 4:
            raise GraphError(f"input {x.name!r}", f"pooling takes 4 axes, not {x.shape}")
        size = output_size((x.shape[1], x.shape[2]), self.window, self.stride, self.padding)
        return (TensorType(x.dtype, (x.shape[0], *size, x.shape[3])),)

    def _windows(self, x: Array, fill: float) -> Array:
        return patches(x, self.window, self.stride, self.padding, fill)


@dataclass(frozen=True, slots=True)
class AveragePool2D(_Pool2D):
    """Mean over the part of the window inside the image (TensorFlow Lite, AVERAGE_POOL_2D)."""

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sum over count, rounded to the nearest with ties away from zero; quanta are unchanged."""
        x, output = inputs[0], signature.output
        assert x is not None
        inside = self._windows(np.ones((1, *x.shape[1:3], 1)), 0.0).sum(axis=(4, 5))
        sums = self._windows(x.astype(np.float64), 0.0).sum(axis=(4, 5))
        if output.dtype is DType.FLOAT32:
            return finish(sums / inside, self.activation, output)
        mean = rounded_div(sums.astype(np.int64), inside.astype(np.int64))
        return finish(mean, self.activation, output)


@dataclass(frozen=True, slots=True)
class MaxPool2D(_Pool2D):
    """Largest element of the window inside the image (TensorFlow Lite, MAX_POOL_2D)."""

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The maximum, then the clamp; quanta are unchanged."""
        x, output = inputs[0], signature.output
        assert x is not None
        largest = self._windows(x.astype(np.float64), -np.inf).max(axis=(4, 5))
        if output.dtype is not DType.FLOAT32:
            largest = np.maximum(largest, output.dtype.range[0])
        return finish(largest, self.activation, output)
