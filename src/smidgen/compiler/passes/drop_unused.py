"""Nodes whose outputs nobody reads, and that have no effect, go."""

from __future__ import annotations

from smidgen.graph.graph import ABSENT, Graph, Node


def drop_unused(graph: Graph) -> Graph:
    """Keep what the outputs and the effects depend on."""
    needed = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if node.op.has_effect or needed.intersection(node.outputs):
            kept.append(node)
            needed.update(name for name in node.inputs if name != ABSENT)
    return graph.with_nodes(reversed(kept))
