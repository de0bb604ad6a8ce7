"""Names of a finished graph: activations after what computes them, outputs as the file has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smidgen.graph.graph import Graph


def renamed(graph: Graph, outputs: Sequence[str]) -> Graph:
    """`graph` with its outputs called `outputs` where these names are free and different."""
    names: dict[str, str] = {}
    taken = {
        name for name, t in graph.tensors.items() if name in graph.inputs or t.data is not None
    }
    for old, wanted in zip(graph.outputs, outputs, strict=True):
        if old not in names and old in graph.producers and wanted not in taken:
            names[old] = wanted
            taken.add(wanted)
    for node in graph.nodes:
        for index, old in enumerate(node.outputs):
            if old not in names:
                suffix = "" if len(node.outputs) == 1 else str(index)
                names[old] = _free(f"{node.name}_out{suffix}", taken)
    nodes = [
        replace(
            node,
            inputs=tuple(names.get(name, name) for name in node.inputs),
            outputs=tuple(names[name] for name in node.outputs),
        )
        for node in graph.nodes
    ]
    tensors = [replace(graph.tensors[old], name=new) for old, new in names.items()]
    ends = tuple(names.get(name, name) for name in graph.outputs)
    return replace(graph, outputs=ends).with_nodes(nodes, tensors)


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with an underscore more for each time that it is taken."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name
