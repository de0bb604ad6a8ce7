"""Constant channels that have to stay get numbers that no kernel minds.

A filter that is all zero, or that the activation always clamps, may be needed for its border: the
padding of the layer behind it brings the zero point, and not the constant. Such a filter often has
a tiny scale and, measured in it, a huge bias, and kernels with shortcuts refuse a whole layer for
one channel like that. Its output is a constant all the same, so weights of 0, the scale that makes
the multiplier 1/256, and 256 times the constant as bias say it just as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.compiler.passes.channels.ranges import channel_ranges
from smidgen.compiler.passes.channels.rule import Narrowed, Ranges
from smidgen.compiler.passes.channels.site import Site
from smidgen.compiler.passes.channels.table import rule_for
from smidgen.compiler.passes.channels.weighted import ConvRule, DepthwiseRule, narrowed
from smidgen.core.dtypes import Array, DType
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Tensor

_QUANTUM = 256
"""What the bias of a settled channel holds for each quantum of its output."""


def settle_constant_channels(graph: Graph) -> Graph:
    """Rewrite the constant channels of int8 convolutions with a scale for each channel."""
    ranges = channel_ranges(graph)
    changes = [_settled(Site(graph, node), ranges) for node in graph.nodes]
    constants = [tensor for change in changes for tensor in change.constants]
    return graph.with_nodes([change.node for change in changes], constants) if constants else graph


def _settled(site: Site, ranges: Ranges) -> Narrowed:
    settled = _channels(site, ranges)
    if not settled.any():
        return Narrowed(site.node)
    return narrowed(site, _weights(site, settled), _bias(site, settled, ranges))


def _channels(site: Site, ranges: Ranges) -> Array:
    """The channels to settle, bool [outputs]."""
    rule = rule_for(site)
    none = np.zeros(1, bool)
    if not isinstance(rule, ConvRule | DepthwiseRule):
        return none
    weights, bias = site.input(1), site.signature.optional(2)
    per_channel = len(weights.quant.scales) > 1
    integers = site.input(0).dtype is DType.INT8 and site.output.dtype is DType.INT8
    if bias is None or bias.dtype is not DType.INT32 or not per_channel or not integers:
        return none
    constant = ranges[site.output.name].is_constant
    settled = np.asarray(weights.quant.scales) == _scale(site)
    return np.asarray(constant & ~settled)


def _scale(site: Site) -> float:
    """The scale of weights for which a sum is 1 / _QUANTUM of an output quantum."""
    return site.output.quant.scale / (_QUANTUM * site.input(0).quant.scale)


def _weights(site: Site, settled: Array) -> Tensor:
    weights = site.input(1)
    axis = weights.quant.axis
    assert axis is not None
    shape = [1] * len(weights.shape)
    shape[axis] = len(settled)
    zero = weights.quant.spread(weights.quant.zero_points, len(shape))
    data = np.where(settled.reshape(shape), zero, weights.values).astype(weights.values.dtype)
    pairs = zip(weights.quant.scales, settled, strict=True)
    scales = tuple(_scale(site) if gone else scale for scale, gone in pairs)
    return replace(weights, data=data, quantization=replace(weights.quant, scales=scales))


def _bias(site: Site, settled: Array, ranges: Ranges) -> Tensor:
    bias = site.signature.input(2)
    value = ranges[site.output.name].low - site.output.quant.zero_point
    data = np.where(settled, _QUANTUM * value, bias.values).astype(np.int32)
    return replace(bias, data=data, quantization=None)
