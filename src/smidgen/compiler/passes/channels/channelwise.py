"""Channels through ops that treat each channel alike, and through those that only move them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

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
from smidgen.compiler.passes.channels.weighted import equal_rows
from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.activation import clamp_range


class ChannelwiseRule(ChannelRule):
    """Output channel c depends on channel c of the inputs, in the same way for every c."""

    def needed(self, site: Site, ranges: Ranges) -> Iterator[tuple[str, Array]]:
        """Nothing by itself."""
        del site, ranges
        return iter(())

    def ties(self, site: Site) -> Iterator[Tie]:
        """Each output channel with that of every input."""
        every = np.arange(channels_of(site.output))
        for tensor in _varying_inputs(site):
            yield Tie(tensor.name, every, site.output.name, every)

    def classes(self, site: Site, classes: Classes) -> Array:
        """Equal where all inputs are."""
        operands = [t for t in site.signature.inputs if t is not None]
        return equal_rows(np.stack([_classes_of(t, classes) for t in operands], axis=1))

    def narrow(self, site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
        """The same op; constant operands lose what the output loses."""
        del ranges
        return _with_constants(site, kept_of(site.output, kept))


class PoolRule(ChannelwiseRule):
    """Poolings give what lies between the values in the window."""

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The input's, clamped; anything where a window may lie wholly in the padding."""
        op = site.node.op
        assert isinstance(op, (AveragePool2D, MaxPool2D))
        limits = clamp_range(op.activation, site.output)
        pad = op.padding
        if max(pad.top, pad.bottom) >= op.window[0] or max(pad.left, pad.right) >= op.window[1]:
            return type_range(site.output, *limits)
        return ranges[site.input(0).name].clipped(*limits)


class PointwiseRule(ChannelwiseRule):
    """One input, and each output element depends on one input element only."""

    def applies(self, site: Site) -> bool:
        """Types whose values can all be tried."""
        quantised = all(tensor.quantization is not None for tensor in site.activations)
        return quantised and site.input(0).dtype.value.bits <= 16

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The least and the greatest result of all that each channel can be."""
        known = ranges.get(site.input(0).name)
        if known is None:
            return None
        table = table_of(site)
        first = site.input(0).dtype.range[0]
        spans = [
            table[low - first : high - first + 1]
            for low, high in zip(known.low, known.high, strict=True)
        ]
        low, high = ([int(end(span)) for span in spans] for end in (np.min, np.max))
        return Range(np.array(low, np.int64), np.array(high, np.int64))


def table_of(site: Site) -> Array:
    """The result of a pointwise op for every value of its input's type, ascending."""
    x, y = site.input(0), site.output
    return _table(site.node.op, (x.dtype, x.quant), (y.dtype, y.quant))


@lru_cache(maxsize=256)
def _table(op: Op, given: tuple[DType, Quantization], made: tuple[DType, Quantization]) -> Array:
    """Four passes ask for it, and an unrolled recurrent net has hundreds: 128 KiB each at most."""
    lowest, highest = given[0].range
    values = np.arange(lowest, highest + 1).astype(given[0].numpy)
    x, y = (Tensor("", dtype, values.shape, quant) for dtype, quant in (given, made))
    (results,) = op.evaluate(Signature((x,), (y,)), [values])
    results.flags.writeable = False
    return results


class PadRule(ChannelwiseRule):
    """Rows and columns added around an image."""

    def applies(self, site: Site) -> bool:
        """No channels added."""
        op = site.node.op
        assert isinstance(op, Pad)
        return op.before[-1] == op.after[-1] == 0

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """The input's, and the padding's value."""
        op = site.node.op
        assert isinstance(op, Pad)
        value = int(np.asarray(op.background(site.signature)))
        return ranges[site.input(0).name].joined(type_range(site.output, value, value))


class ConcatRule(ChannelRule):
    """Tensors joined, along the channels or along another axis."""

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """Those of the parts, one after the other or joined."""
        parts = [range_of(t, ranges) for t in site.signature.inputs if t is not None]
        if self._joins_channels(site):
            return Range(*(np.concatenate(ends) for ends in _ends(parts)))
        lows, highs = _ends(parts)
        return Range(np.min(lows, axis=0), np.max(highs, axis=0))

    def needed(self, site: Site, ranges: Ranges) -> Iterator[tuple[str, Array]]:
        """Nothing by itself, but what lies beside a constant that cannot lose channels."""
        del ranges
        constants = [t for t in site.signature.inputs if t is not None and t.is_constant]
        if constants and self._joins_channels(site):
            yield site.output.name, np.ones(channels_of(site.output), bool)

    def ties(self, site: Site) -> Iterator[Tie]:
        """Each part's channels with their places in the output."""
        start = 0
        for part in site.signature.inputs:
            assert part is not None
            every = np.arange(channels_of(part))
            if not part.is_constant:
                yield Tie(part.name, every, site.output.name, every + start)
            start += len(every) if self._joins_channels(site) else 0

    def narrow(self, site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
        """The same op; constant parts lose what the output loses."""
        del ranges
        if self._joins_channels(site):
            return Narrowed(site.node)
        return _with_constants(site, kept_of(site.output, kept))

    @staticmethod
    def _joins_channels(site: Site) -> bool:
        op = site.node.op
        assert isinstance(op, Concat)
        return op.axis == len(site.output.shape) - 1


class ReshapeRule(ChannelRule):
    """Channels of one shape become channels of another, where one length divides the other."""

    def applies(self, site: Site) -> bool:
        """Whole pixels on both sides."""
        before, after = channels_of(site.input(0)), channels_of(site.output)
        return min(before, after) > 0 and (before % after == 0 or after % before == 0)

    def ranges(self, site: Site, ranges: Ranges) -> Range | None:
        """Repeated, or joined over the channels that fall together."""
        known = ranges[site.input(0).name]
        before, after = channels_of(site.input(0)), channels_of(site.output)
        if after % before == 0:
            return known.take(np.arange(after) % before)
        low, high = (end.reshape(-1, after) for end in (known.low, known.high))
        return Range(low.min(axis=0), high.max(axis=0))

    def classes(self, site: Site, classes: Classes) -> Array:
        """Equal within the same pixel."""
        before, after = channels_of(site.input(0)), channels_of(site.output)
        if after % before:
            return np.arange(after)
        pixel, channel = np.divmod(np.arange(after), before)
        return np.asarray(pixel * before + classes[site.input(0).name][channel])

    def needed(self, site: Site, ranges: Ranges) -> Iterator[tuple[str, Array]]:
        """Nothing by itself."""
        del site, ranges
        return iter(())

    def ties(self, site: Site) -> Iterator[Tie]:
        """Channels whose numbers are equal modulo the shorter length."""
        before, after = channels_of(site.input(0)), channels_of(site.output)
        every = np.arange(max(before, after))
        yield Tie(site.input(0).name, every % before, site.output.name, every % after)

    def narrow(self, site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
        """The same leading axes, a shorter last one."""
        del ranges
        op = site.node.op
        assert isinstance(op, Reshape)
        shape = (*op.shape[:-1], len(kept_of(site.output, kept)))
        return Narrowed(replace(site.node, op=Reshape(shape)))


def range_of(tensor: Tensor, ranges: Ranges) -> Range:
    """The range of an operand; of a constant, that of its values."""
    if not tensor.is_constant:
        return ranges[tensor.name]
    values = tensor.values.astype(np.int64).reshape(-1, channels_of(tensor))
    return Range(values.min(axis=0), values.max(axis=0))


def _classes_of(tensor: Tensor, classes: Classes) -> Array:
    if not tensor.is_constant:
        return classes[tensor.name]
    return equal_rows(tensor.values.reshape(-1, channels_of(tensor)).T)


def _varying_inputs(site: Site) -> Iterator[Tensor]:
    for tensor in site.signature.inputs:
        if tensor is not None and not tensor.is_constant:
            yield tensor


def _ends(parts: list[Range]) -> tuple[list[Array], list[Array]]:
    return [part.low for part in parts], [part.high for part in parts]


def _with_constants(site: Site, keep: Array) -> Narrowed:
    """The node with only the channels `keep` of its constant operands."""
    node, constants = site.node, []
    for index, tensor in enumerate(site.signature.inputs):
        if tensor is not None and tensor.is_constant:
            fewer = owned(site, take_slices(tensor, len(tensor.shape) - 1, keep))
            node = renamed_input(node, index, fewer.name)
            constants.append(fewer)
    return Narrowed(node, tuple(constants))
