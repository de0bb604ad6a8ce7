"""Names of a finished graph."""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.graph import Graph


def named_after_producers(graph: Graph) -> Graph:
    """Every activation called after the node that computes it, whichever nodes it absorbed."""
    names = {
        old: f"{node.name}_out" + (str(index) if len(node.outputs) > 1 else "")
        for node in graph.nodes
        for index, old in enumerate(node.outputs)
    }
    nodes = [
        replace(
            node,
            inputs=tuple(names.get(name, name) for name in node.inputs),
            outputs=tuple(names[name] for name in node.outputs),
        )
        for node in graph.nodes
    ]
    tensors = [replace(graph.tensors[old], name=new) for old, new in names.items()]
    outputs = tuple(names.get(name, name) for name in graph.outputs)
    return replace(graph, outputs=outputs).with_nodes(nodes, tensors)
