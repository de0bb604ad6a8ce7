"""Channels that change nothing go: constant ones, which fold into biases, and unread ones.

A filter whose weights are all zero, or that the activation always clamps, gives a constant channel.
Its share in the next layer's sums is a constant too, which moves into the bias, exactly, modulo
2**32 as the sums are. Layers that treat channels one by one lose theirs with it. A channel whose
readers all have zero weights for it goes likewise, and with it what only it needed.
"""

from __future__ import annotations

from dataclasses import replace

from smidgen.compiler.passes.channels.ranges import channel_ranges
from smidgen.compiler.passes.channels.removal import removable
from smidgen.compiler.passes.channels.rule import Kept, Narrowed, Ranges
from smidgen.compiler.passes.channels.site import Site
from smidgen.compiler.passes.channels.table import rule_for
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Tensor


def drop_dead_channels(graph: Graph) -> Graph:
    """Remove channels until none is left that can go; the outputs stay the same, bit for bit."""
    while True:
        ranges = channel_ranges(graph)
        kept = removable(graph, ranges)
        if not kept:
            return graph
        graph = _without(graph, kept, ranges)


def _without(graph: Graph, kept: Kept, ranges: Ranges) -> Graph:
    """`graph` with only the channels `kept`."""
    tensors = [
        replace(graph.tensors[name], shape=(*graph.tensors[name].shape[:-1], len(chosen)))
        for name, chosen in kept.items()
    ]
    nodes = []
    for node in graph.nodes:
        change = _narrowed(Site(graph, node), kept, ranges)
        nodes.append(change.node)
        tensors.extend(change.constants)
    return graph.with_nodes(nodes, _last_of_each(tensors))


def _narrowed(site: Site, kept: Kept, ranges: Ranges) -> Narrowed:
    if kept.keys().isdisjoint((*site.node.inputs, *site.node.outputs)):
        return Narrowed(site.node)
    return rule_for(site).narrow(site, kept, ranges)


def _last_of_each(tensors: list[Tensor]) -> list[Tensor]:
    return list({tensor.name: tensor for tensor in tensors}.values())
