"""The convolution ops and their reference."""

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
from smidgen.ops.support.requantize import (
    centred,
    exact_int,
    is_wide,
    per_channel,
    real,
    requantize,
)
from smidgen.ops.support.weights import check_weights
from smidgen.ops.support.window import Padding, output_size, patches


@dataclass(frozen=True, slots=True)
class Conv2D(Op):
    """2-D convolution, NHWC input, OHWI weights, bias [O] (TensorFlow Lite, CONV_2D).

    Weights of I channels against an input of G * I channels make G groups.
    """

    stride: tuple[int, int] = (1, 1)
    padding: Padding = Padding()
    dilation: tuple[int, int] = (1, 1)
    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, rows, columns, O]; the input's channels must be a multiple of the weights'."""
        x, weights = _image_and_weights(inputs, 0)
        out_channels, height, width, in_channels = weights.shape
        groups, rest = divmod(x.shape[3], in_channels)
        if rest or out_channels % groups:
            raise GraphError(
                f"weights {weights.name!r}", f"{in_channels} channels do not divide {x.shape[3]}"
            )
        size = output_size(
            (x.shape[1], x.shape[2]), (height, width), self.stride, self.padding, self.dilation
        )
        return (TensorType(x.dtype, (x.shape[0], *size, out_channels)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sum of products over each window, bias, requantisation, clamp."""
        x, weights = _operands(signature, inputs)
        groups = x.shape[3] // weights.shape[3]
        sums = [
            _correlate(part, kernel, self)
            for part, kernel in zip(
                np.split(x, groups, axis=3), np.split(weights, groups, axis=0), strict=True
            )
        ]
        return _conclude(np.concatenate(sums, axis=-1), self.activation, signature, inputs)

    def macs(self, signature: Signature) -> int:
        """Output elements times the window's weights."""
        return signature.output.elements * math.prod(signature.input(1).shape[1:])


@dataclass(frozen=True, slots=True)
class DepthwiseConv2D(Op):
    """Depthwise convolution, NHWC input, 1HWO weights (TensorFlow Lite, DEPTHWISE_CONV_2D).

    Output channel c * multiplier + m reads input channel c only.
    """

    stride: tuple[int, int] = (1, 1)
    padding: Padding = Padding()
    dilation: tuple[int, int] = (1, 1)
    activation: Activation = Activation.NONE

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[N, rows, columns, O], with O a multiple of the input's channels."""
        x, weights = _image_and_weights(inputs, 3)
        one, height, width, out_channels = weights.shape
        if one != 1 or out_channels % x.shape[3]:
            raise GraphError(
                f"weights {weights.name!r}", f"{weights.shape} do not fit {x.shape[3]} channels"
            )
        size = output_size(
            (x.shape[1], x.shape[2]), (height, width), self.stride, self.padding, self.dilation
        )
        return (TensorType(x.dtype, (x.shape[0], *size, out_channels)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sum of products over each window of one channel, bias, requantisation, clamp."""
        x, weights = _operands(signature, inputs)
        _, height, width, out_channels = weights.shape
        window = patches(x, (height, width), self.stride, self.padding, 0.0, self.dilation)
        split = weights[0].reshape(height, width, x.shape[3], -1)
        sums = np.einsum("nrkchw,hwcm->nrkcm", window, split)
        flat = sums.reshape(*sums.shape[:3], out_channels)
        return _conclude(flat, self.activation, signature, inputs)

    def macs(self, signature: Signature) -> int:
        """Output elements times the window."""
        return signature.output.elements * math.prod(signature.input(1).shape[1:3])


def _image_and_weights(inputs: Sequence[Tensor | None], axis: int) -> tuple[Tensor, Tensor]:
    x, weights = inputs[0], inputs[1]
    assert x is not None and weights is not None
    if len(x.shape) != 4 or len(weights.shape) != 4:
        raise GraphError(f"weights {weights.name!r}", f"{weights.shape} over input {x.shape}")
    if not x.elements:
        raise GraphError(f"input {x.name!r}", f"{x.shape} is empty")
    check_weights(weights, inputs[2] if len(inputs) > 2 else None, axis)
    return x, weights


def _operands(signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, Array]:
    """Input and weights in float64: centred quanta, or real values for a float output."""
    value = real if signature.output.dtype is DType.FLOAT32 else centred
    x, weights = (value(_given(inputs[i]), signature.input(i)) for i in range(2))
    return x, weights


def _given(values: Array | None) -> Array:
    assert values is not None
    return values


def _correlate(x: Array, weights: Array, op: Conv2D) -> Array:
    window = patches(
        x, (weights.shape[1], weights.shape[2]), op.stride, op.padding, 0.0, op.dilation
    )
    return np.tensordot(window, weights, axes=([3, 4, 5], [3, 1, 2]))


def _conclude(
    sums: Array, activation: Activation, signature: Signature, inputs: Sequence[Array | None]
) -> tuple[Array, ...]:
    output, bias = signature.output, inputs[2] if len(inputs) > 2 else None
    if output.dtype is DType.FLOAT32:
        return finish(sums + (0.0 if bias is None else bias), activation, output)
    accumulator = exact_int(sums) + (0 if bias is None else bias.astype(np.int64))
    x, weights = signature.input(0), signature.input(1)
    multipliers = per_channel(x, weights, output, sums.shape[-1])
    wide = is_wide(x, signature.optional(2))
    return finish(requantize(accumulator, multipliers, output, wide), activation, output)
