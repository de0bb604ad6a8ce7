"""What several passes do to a graph: take a node out, and let others read something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smidgen.graph.graph import Graph


def bypass(graph: Graph, instead: Mapping[str, str]) -> Graph:
    """Readers of each key read its value instead; the producers of the keys go.

    Keys are neither outputs of the graph nor further outputs of a node. A value may be a key too.
    """
    if not instead:
        return graph

    def final(name: str) -> str:
        while name in instead:
            name = instead[name]
        return name

    nodes = [
        replace(node, inputs=tuple(final(name) for name in node.inputs))
        for node in graph.nodes
        if node.outputs[0] not in instead
    ]
    return graph.with_nodes(nodes)
