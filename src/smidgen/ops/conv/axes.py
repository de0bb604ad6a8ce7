"""What the depthwise kernels that copy channels to planes have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.kernel import CArray, Overlap
from smidgen.ops.support.columns import Scaling, scaling
from smidgen.ops.support.line import sum_bounds
from smidgen.ops.support.lowering import bias_or_zeros, constant
from smidgen.ops.support.requantize import Multipliers, accumulator_bound

OUTPUTS_FROM_0 = 128 << 16
"""`Scaling.addend` is for outputs from 0 to 255; this takes them to -128 to 127."""
_MOST_SHIFT = 22


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the image, and the window along it."""

    size: int
    window: int
    stride: int
    dilation: int
    before: int
    outputs: int

    @property
    def reach(self) -> int:
        """Padded positions from the first to the last that any output reads."""
        return (self.outputs - 1) * self.stride + (self.window - 1) * self.dilation + 1

    def read(self, room: int) -> int:
        """The input positions that are read at all, given room for `room` padded ones."""
        return min(self.size, room - self.before)


def axes(op: DepthwiseConv2D, signature: Signature) -> tuple[Axis, Axis]:
    """Rows and columns of the layer."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    before = (op.padding.top, op.padding.left)
    rows, cols = (
        Axis(
            x.shape[k + 1],
            weights.shape[k + 1],
            op.stride[k],
            op.dilation[k],
            before[k],
            output.shape[k + 1],
        )
        for k in range(2)
    )
    return rows, cols


def in_place(signature: Signature) -> tuple[Overlap, ...]:
    """In place, where each output channel has an input channel of its own.

    Input channel c is in scratch as a whole before output channel c is written; with y = x, the
    latter goes to bytes whose address is c modulo the number of channels. Those held nothing but
    input channel c, because the output has no more pixels than the input.
    """
    x, output = signature.input(0), signature.output
    if x.shape[3] != output.shape[3] or output.elements > x.elements:
        return ()
    return (Overlap(0, 0, ahead=None, behind=None, in_place=True),)


def by_channel(signature: Signature) -> Array:
    """The weights as [output channels, window]."""
    weights = constant(signature, 1)[0]
    return np.asarray(np.moveaxis(weights, 2, 0).reshape(weights.shape[2], -1))


def largest_sum(signature: Signature) -> int:
    """The largest magnitude that any accumulator can reach."""
    zero_point = signature.input(0).quant.zero_point
    weights = by_channel(signature)
    reach = max(127 - zero_point, zero_point + 128)
    return accumulator_bound(weights, bias_or_zeros(signature, len(weights)), reach)


def fitted_lines(
    weights: Array,
    bias: Array,
    multipliers: Multipliers,
    output: Tensor,
    clamp: tuple[int, int],
    least_shift: int = 0,
) -> Scaling | None:
    """Requantisation as straight lines, if there are any (ops/support/line.py)."""
    found = scaling(weights, bias, multipliers, output.quant.zero_point, clamp, least_shift)
    return found if found and found.scale > 0 else None


def right_shifts(weights: Array, bias: Array, multipliers: Multipliers) -> Array | None:
    """[channels, 3]: bias, mantissa and a right shift of 1 to 22, or None where one is not.

    Up to 22 there is room for the rounding and the output's zero point above the shifted product. A
    channel with a longer shift is always 0 where its product cannot reach half of 2**shift; then a
    mantissa of 0 with the shift 1 says the same.
    """
    reach = np.abs(sum_bounds(weights)).max(axis=0) + np.abs(bias) + 1
    shifts = -np.broadcast_to(multipliers.shifts, bias.shape)
    vanishes = (multipliers.mantissas == 0) | ((shifts > _MOST_SHIFT) & (reach < 1 << 21))
    shifts = np.where(vanishes, 1, shifts)
    if shifts.min(initial=1) < 1 or shifts.max(initial=1) > _MOST_SHIFT:
        return None
    return np.stack([bias, np.where(vanishes, 0, multipliers.mantissas), shifts], axis=1)


def packed_weights(weights: Array, signature: Signature, swapped: bool) -> CArray:
    """Weights [output channels, window] as [channel, column, row], or the axes `swapped`."""
    shape = signature.input(1).shape
    split = weights.reshape(shape[3], shape[1], shape[2])
    packed = split if swapped else split.transpose(0, 2, 1)
    return CArray(DType.INT8, packed, "weights, by channel, window column, row")
