"""The values that channels can have, and which channels are always equal, through a whole graph."""

from __future__ import annotations

import numpy as np

from smidgen.compiler.passes.channels.rule import Classes, Ranges
from smidgen.compiler.passes.channels.site import Range, Site, channels_of, type_range
from smidgen.compiler.passes.channels.table import rule_for
from smidgen.core.dtypes import Array
from smidgen.graph.graph import Graph


def channel_ranges(graph: Graph) -> Ranges:
    """The range of every integer activation, by name.

    Interval arithmetic: no run of the graph leaves these ranges, whatever the inputs and the state.
    """
    ranges: dict[str, Range] = {}
    for name in _given(graph):
        if graph.tensors[name].dtype.is_integer:
            ranges[name] = type_range(graph.tensors[name])
    for node in graph.nodes:
        site = Site(graph, node)
        first = rule_for(site).ranges(site, ranges)
        for tensor in site.signature.outputs:
            if tensor.dtype.is_integer:
                ranges[tensor.name] = type_range(tensor)
        if first is not None:
            ranges[site.output.name] = first
    return ranges


def channel_classes(graph: Graph, ranges: Ranges) -> Classes:
    """A number for each channel of every activation: those with equal numbers are always equal."""
    classes: dict[str, Array] = {
        name: np.arange(channels_of(graph.tensors[name])) for name in _given(graph)
    }
    for node in graph.nodes:
        site = Site(graph, node)
        for tensor in site.signature.outputs:
            classes[tensor.name] = np.arange(channels_of(tensor))
        name = site.output.name
        classes[name] = _with_constants(rule_for(site).classes(site, classes), ranges.get(name))
    return classes


def _with_constants(classes: Array, known: Range | None) -> Array:
    """`classes` with channels that always have the same value in one class."""
    if known is None:
        return classes
    merged = np.array(classes)
    for value in np.unique(known.low[known.is_constant]):
        same = known.is_constant & (known.low == value)
        merged[same] = merged[same][0]
    return merged


def _given(graph: Graph) -> list[str]:
    return [*graph.inputs, *(tensor.name for tensor in graph.states)]
