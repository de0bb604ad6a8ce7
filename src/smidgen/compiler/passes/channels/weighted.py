"""Channels through convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from smidgen.compiler.passes.channels.rule import (
    ChannelRule,
    Classes,
    Kept,
    Narrowed,
    Ranges,
    Tie,
    kept_of,
    owned,
    renamed_input,
    take_slices,
)
from smidgen.compiler.passes.channels.site import Range, Site, channels_of, type_range
from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import wrap32
from smidgen.graph.tensor import Tensor
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.requantize import Multipliers, is_wide, per_channel, requantize


class WeightedRule(ChannelRule):
    """What all layers with weights share; `filters` gives the weights a common shape."""

    output_axis = 0
    """The axis of the weights that runs over output channels."""

    def applies(self, site: Site) -> bool:
        """Constant integer weights and bias, with scales along the output channels if anywhere."""
        weights, bias = site.input(1), site.signature.optional(2)
        quant = weights.quantization
        return (
            all(tensor.quantization is not None for tensor in site.activations)
            and weights.is_constant
            and weights.dtype.is_integer
            and quant is not None
            and (len(quant.scales) == 1 or quant.axis == self.output_axis)
            and (bias is None or (bias.is_constant and bias.dtype.is_integer))
        )

    def filters(self, site: Site) -> Array:
        """Weights less their zero point, int64 [outputs, taps, inputs of each tap]."""
        raise NotImplementedError

    def sources(self, site: Site) -> Array:
        """The channel of x that each of `filters` reads: int64 [outputs or 1, 1, inputs]."""
        raise NotImplementedError

    def reach(self, site: Site) -> tuple[Array, Array]:
        """(always, ever): whether each tap lies inside x for all outputs, for any; bool [taps]."""
        taps = self.filters(site).shape[1]
        return np.ones(taps, bool), np.ones(taps, bool)

    def multipliers(self, site: Site) -> Multipliers:
        """The requantisation of the layer."""
        signature = site.signature
        channels = channels_of(site.output)
        return per_channel(signature.input(0), signature.input(1), signature.output, channels)

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The sums of the smallest and of the largest products, requantised."""
        x, filters, sources = site.input(0), self.filters(site), self.sources(site)
        known, zero = ranges[x.name], x.quant.zero_point
        ends = [filters * (end - zero)[sources] for end in (known.low, known.high)]
        always, ever = (mask[None, :, None] for mask in self.reach(site))
        low, high = np.minimum(*ends) * ever, np.maximum(*ends) * ever
        low = np.where(always, low, np.minimum(low, 0)).sum(axis=(1, 2))
        high = np.where(always, high, np.maximum(high, 0)).sum(axis=(1, 2))
        bias = bias_of(site)
        return self._requantized(site, low + bias, high + bias)

    def _requantized(self, site: Site, low: Array, high: Array) -> Range:
        """The range of the output for accumulators in [low, high]."""
        op, signature = site.node.op, site.signature
        assert isinstance(op, (Conv2D, DepthwiseConv2D, Dense))
        table = self.multipliers(site)
        lowest, highest = clamp_range(op.activation, site.output)
        largest = np.maximum(np.abs(low), np.abs(high))
        safe = largest < np.int64(1) << (31 - np.clip(table.shifts, 0, 31))
        wide = is_wide(signature.input(0), signature.optional(2))
        ends = [requantize(end, table, site.output, wide) for end in (low, high)]
        exact = Range(*ends).clipped(lowest, highest)
        anything = type_range(site.output, lowest, highest)
        # Accumulators that may wrap at 32 bits are in no order: then only the clamp is known.
        return Range(
            np.where(safe, exact.low, anything.low), np.where(safe, exact.high, anything.high)
        )

    def classes(self, site: Site, classes: Classes) -> Array:
        """Outputs are equal if weights, sources, bias and multiplier are."""
        filters, table = self.filters(site), self.multipliers(site)
        outputs = filters.shape[0]
        origin = classes[site.input(0).name][self.sources(site)]
        columns = (
            filters.reshape(outputs, -1),
            np.broadcast_to(origin, (outputs, *origin.shape[1:])).reshape(outputs, -1),
            bias_of(site)[:, None],
            np.broadcast_to(table.mantissas, outputs)[:, None],
            np.broadcast_to(table.shifts, outputs)[:, None],
        )
        return equal_rows(np.concatenate(columns, axis=1))


class MixingRule(WeightedRule):
    """Every output reads every input channel: constant ones fold into the bias, unread ones go."""

    input_axis = 3

    def needed(self, site: Site, ranges: Ranges) -> Iterator[tuple[str, Array]]:
        """Input channels that vary, or that are constant and see a border that is not.

        Padding brings the zero point, so a constant channel adds the same to every output only if
        it equals that, or if no tap with a weight reads padding.
        """
        x = site.input(0)
        always, ever = self.reach(site)
        used = (self.filters(site) != 0).any(axis=0) & ever[:, None]
        constant = ranges[x.name].is_constant
        is_zero = constant & (ranges[x.name].low == x.quant.zero_point)
        sources = self.sources(site)[0, 0]
        foldable = is_zero[sources] | (constant[sources] & always[:, None])
        stays = np.zeros(channels_of(x), bool)
        np.logical_or.at(stays, sources, (used & ~foldable).any(axis=0))
        yield x.name, stays

    def narrow(self, site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
        """Weights and bias of the channels that stay; what the others added goes into the bias."""
        outputs = kept_of(site.output, kept)
        stays = np.isin(self.sources(site)[0, 0], kept_of(site.input(0), kept))
        weights = take_slices(site.input(1), self.output_axis, outputs)
        weights = take_slices(weights, self.input_axis, np.flatnonzero(stays))
        bias = self._new_bias(site, ranges, ~stays)
        return narrowed(site, weights, None if bias is None else take_slices(bias, 0, outputs))

    def _new_bias(self, site: Site, ranges: Ranges, gone: Array) -> Tensor | None:
        """The bias with the sums that the constant channels `gone` added; None if there is none."""
        added = self._added(site, ranges, gone)
        old = site.signature.optional(2)
        if old is None and not added.any():
            return None
        x = site.input(0)
        wide = is_wide(x, old)
        dtype = old.dtype if old is not None else (DType.INT64 if wide else DType.INT32)
        total = bias_of(site) + added
        data = (total if dtype is DType.INT64 else wrap32(total)).astype(dtype.numpy)
        if old is None:
            return Tensor(f"{site.node.name}/bias", dtype, data.shape, None, data)
        return replace(old, data=data)

    def _added(self, site: Site, ranges: Ranges, gone: Array) -> Array:
        """What the channels `gone` add to each accumulator, int64 [outputs]."""
        x = site.input(0)
        _, ever = self.reach(site)
        value = ranges[x.name].low - x.quant.zero_point
        products = self.filters(site) * value[self.sources(site)]
        return np.asarray((products * ever[None, :, None])[:, :, gone].sum(axis=(1, 2)))


class ConvRule(MixingRule):
    """Convolution without groups."""

    def applies(self, site: Site) -> bool:
        """One group."""
        return super().applies(site) and site.input(1).shape[3] == site.input(0).shape[3]

    def filters(self, site: Site) -> Array:
        """OHWI as [O, H * W, I]."""
        values = centred_weights(site)
        return values.reshape(values.shape[0], -1, values.shape[3])

    def sources(self, site: Site) -> Array:
        """Weight i reads channel i."""
        return np.arange(site.input(1).shape[3])[None, None, :]

    def reach(self, site: Site) -> tuple[Array, Array]:
        """Depends on padding and stride."""
        return taps_inside(site)


class DepthwiseRule(WeightedRule):
    """Depthwise convolution: a channel goes with all outputs that are made from it."""

    output_axis = 3

    def filters(self, site: Site) -> Array:
        """1HWO as [O, H * W, 1]."""
        values = centred_weights(site)
        return values.reshape(-1, values.shape[3]).T[:, :, None]

    def sources(self, site: Site) -> Array:
        """Output o reads channel o // multiplier."""
        return self._inputs(site)[:, None, None]

    def reach(self, site: Site) -> tuple[Array, Array]:
        """Depends on padding and stride."""
        return taps_inside(site)

    def needed(self, site: Site, ranges: Ranges) -> Iterator[tuple[str, Array]]:
        """Nothing by itself."""
        del site, ranges
        return iter(())

    def ties(self, site: Site) -> Iterator[Tie]:
        """Each output with its input."""
        outputs = np.arange(channels_of(site.output))
        yield Tie(site.input(0).name, self._inputs(site), site.output.name, outputs)

    def narrow(self, site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
        """Weights and bias of the outputs that stay."""
        del ranges
        outputs, bias = kept_of(site.output, kept), site.signature.optional(2)
        weights = take_slices(site.input(1), self.output_axis, outputs)
        return narrowed(site, weights, None if bias is None else take_slices(bias, 0, outputs))

    @staticmethod
    def _inputs(site: Site) -> Array:
        multiplier = channels_of(site.output) // channels_of(site.input(0))
        return np.arange(channels_of(site.output)) // multiplier


class DenseRule(MixingRule):
    """Fully connected layer; its depth may span several pixels of x, channel by channel."""

    input_axis = 1

    def applies(self, site: Site) -> bool:
        """Each row of x holds whole pixels."""
        return super().applies(site) and site.input(1).shape[1] % channels_of(site.input(0)) == 0

    def filters(self, site: Site) -> Array:
        """OI as [O, 1, I]."""
        return centred_weights(site)[:, None, :]

    def sources(self, site: Site) -> Array:
        """Channels repeat from pixel to pixel."""
        depth = site.input(1).shape[1]
        return (np.arange(depth) % channels_of(site.input(0)))[None, None, :]

    def multipliers(self, site: Site) -> Multipliers:
        """A dense layer's own."""
        return multipliers(site.signature)

    def least_outputs(self) -> int:
        """Two: with one scale alone, the multiplier would be rounded as that of a whole tensor."""
        return 2


def narrowed(site: Site, weights: Tensor, bias: Tensor | None) -> Narrowed:
    """The layer with other weights and bias."""
    constants = [owned(site, tensor) for tensor in (weights, bias) if tensor is not None]
    node = site.node
    for index, tensor in enumerate(constants, start=1):
        node = renamed_input(node, index, tensor.name)
    return Narrowed(node, tuple(constants))


def centred_weights(site: Site) -> Array:
    """The weights less their zero points, int64, in their own shape."""
    weights = site.input(1)
    zeros = weights.quant.spread(weights.quant.zero_points, len(weights.shape))
    return weights.values.astype(np.int64) - zeros


def bias_of(site: Site) -> Array:
    """The bias, or zeros, int64 [outputs]."""
    bias = site.signature.optional(2)
    if bias is None:
        return np.zeros(channels_of(site.output), np.int64)
    return bias.values.astype(np.int64)


def taps_inside(site: Site) -> tuple[Array, Array]:
    """(always, ever): whether each tap of the window lies inside x for all outputs, for any."""
    op, x, weights, output = site.node.op, site.input(0), site.input(1), site.output
    assert isinstance(op, (Conv2D, DepthwiseConv2D))
    always, ever = np.ones((1, 1), bool), np.ones((1, 1), bool)
    for axis, before in enumerate((op.padding.top, op.padding.left)):
        starts = np.arange(output.shape[axis + 1]) * op.stride[axis] - before
        at = starts[:, None] + np.arange(weights.shape[axis + 1]) * op.dilation[axis]
        inside = (at >= 0) & (at < x.shape[axis + 1])
        always = always.reshape(-1, 1) & inside.all(axis=0, keepdims=True)
        ever = ever.reshape(-1, 1) & inside.any(axis=0, keepdims=True)
    return always.reshape(-1), ever.reshape(-1)


def equal_rows(rows: Array) -> Array:
    """A number for each row of `rows`; equal rows have equal numbers."""
    _, classes = np.unique(rows, axis=0, return_inverse=True)
    return np.asarray(classes).reshape(-1)
