"""Channels through arithmetic on two tensors, and through sums over pixels."""

from __future__ import annotations

from itertools import product

import numpy as np

from smidgen.compiler.passes.channels.channelwise import ChannelwiseRule, range_of
from smidgen.compiler.passes.channels.rule import Ranges
from smidgen.compiler.passes.channels.site import Range, Site, channels_of, type_range
from smidgen.core.dtypes import Array, DType
from smidgen.ops.elementwise.arithmetic import Mul, Sub, mul_multiplier
from smidgen.ops.elementwise.ops import Add, AddScaling
from smidgen.ops.reduce.ops import Mean, ReduceMax, ReduceMin, Sum, reduced_elements


class BinaryRule(ChannelwiseRule):
    """An op on two tensors, each with as many channels as the output.

    It grows or falls with each operand while the other is fixed (or is linear in it), so that its
    extremes lie where both operands are at an end.
    """

    def applies(self, site: Site) -> bool:
        """Quantised, and no broadcasting along the channels."""
        count = channels_of(site.output)
        quantised = all(tensor.quantization is not None for tensor in site.activations)
        return quantised and all(channels_of(site.input(index)) == count for index in range(2))

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The least and greatest result at the ends, where nothing can wrap; else of constants."""
        a, b = (range_of(site.input(index), ranges) for index in range(2))
        corners = [_result(site, x, y) for x, y in product((a.low, a.high), (b.low, b.high))]
        found = Range(np.min(corners, axis=0), np.max(corners, axis=0))
        if _keeps_order(site):
            return found
        known, anything = a.is_constant & b.is_constant, type_range(site.output)
        return Range(
            np.where(known, found.low, anything.low), np.where(known, found.high, anything.high)
        )


def _result(site: Site, a: Array, b: Array) -> Array:
    operands = [v.astype(site.input(i).dtype.numpy) for i, v in enumerate((a, b))]
    (result,) = site.node.op.evaluate(site.signature, operands)
    return result.astype(np.int64)


def _keeps_order(site: Site) -> bool:
    """Whether no step of the fixed-point arithmetic can leave 32 bits, for any operands."""
    op, signature = site.node.op, site.signature
    if site.output.dtype not in (DType.INT8, DType.UINT8):
        return False
    if isinstance(op, (Add, Sub)):
        # The sum is below 255 * 2**20 < 2**28.
        return AddScaling.of(signature).output.shift <= 3
    if isinstance(op, Mul):
        # The product is below 2**16.
        return mul_multiplier(signature).shift <= 15
    return True


class ReduceRule(ChannelwiseRule):
    """A sum, mean or extreme over axes other than the channels."""

    def applies(self, site: Site) -> bool:
        """The channels stay the last axis, and a sum over the whole range stays within 32 bits."""
        op, x = site.node.op, site.input(0)
        assert isinstance(op, (Mean, Sum, ReduceMax, ReduceMin))
        if len(x.shape) - 1 in op.axes or any(t.quantization is None for t in site.activations):
            return False
        low, high = x.dtype.range
        largest = (high - low) * reduced_elements(x.shape, op.axes)
        shift = op.factor(site.signature).shift if isinstance(op, (Mean, Sum)) else 0
        return largest << max(shift, 0) < 1 << 31

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The results for a tensor of the smallest values and for one of the largest."""
        known = ranges[site.input(0).name]
        low, high = (self._of_constant(site, end) for end in (known.low, known.high))
        return Range(low, high)

    @staticmethod
    def _of_constant(site: Site, values: Array) -> Array:
        x = site.input(0)
        whole = np.broadcast_to(values, x.shape).astype(x.dtype.numpy)
        (result,) = site.node.op.evaluate(site.signature, [whole])
        return np.asarray(result.reshape(-1, channels_of(site.output))[0], np.int64)
