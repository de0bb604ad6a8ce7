"""Channels that are always equal: their readers take all from one of them.

w1 x + w2 x = (w1 + w2) x, exactly, where the sum is still a weight. The others are then unread, and
`drop_dead_channels` removes them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.compiler.passes.channels.ranges import channel_classes, channel_ranges
from smidgen.compiler.passes.channels.rule import Classes, owned, renamed_input
from smidgen.compiler.passes.channels.site import Site
from smidgen.compiler.passes.channels.table import rule_for
from smidgen.compiler.passes.channels.weighted import MixingRule
from smidgen.core.dtypes import Array
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor


def merge_duplicate_channels(graph: Graph) -> Graph:
    """Add the weights of equal input channels wherever all the sums fit."""
    classes = channel_classes(graph, channel_ranges(graph))
    nodes: list[Node] = []
    changed: list[Tensor] = []
    for node in graph.nodes:
        site = Site(graph, node)
        weights = _merged(site, classes)
        if weights is None:
            nodes.append(node)
            continue
        nodes.append(renamed_input(node, 1, weights.name))
        changed.append(weights)
    return graph.with_nodes(nodes, changed) if changed else graph


def _merged(site: Site, classes: Classes) -> Tensor | None:
    """The weights after merging; None where nothing merges."""
    rule = rule_for(site)
    weights = site.signature.optional(1)
    if not isinstance(rule, MixingRule) or weights is None or any(weights.quant.zero_points):
        return None
    channel = rule.sources(site)[0, 0]
    pixel = np.arange(len(channel)) // len(classes[site.input(0).name])
    label = classes[site.input(0).name][channel] + pixel * (len(channel) + 1)
    columns = np.moveaxis(weights.values.astype(np.int64), rule.input_axis, 0).copy()
    if not _merge_columns(columns, label, weights.dtype.range[1]):
        return None
    data = np.moveaxis(columns, 0, rule.input_axis).astype(weights.dtype.numpy)
    return owned(site, replace(weights, data=np.ascontiguousarray(data)))


def _merge_columns(columns: Array, label: Array, largest: int) -> bool:
    """Add columns with equal labels into the first of them, in place; whether any was added."""
    first: dict[int, int] = {}
    merged = False
    for index, value in enumerate(label.tolist()):
        into = first.setdefault(value, index)
        if into == index or not columns[index].any():
            continue
        total = columns[into] + columns[index]
        if np.abs(total).max() <= largest:
            columns[into], columns[index] = total, 0
            merged = True
    return merged
