"""Reshapes that change nothing go, and of a chain of reshapes only the last one stays."""

from __future__ import annotations

from dataclasses import replace

from smidgen.compiler.passes.rewire import bypass
from smidgen.graph.graph import Graph, Node
from smidgen.ops.shape.ops import Reshape


def elide_reshapes(graph: Graph) -> Graph:
    """Merge chains, then drop reshapes to the shape that the tensor has already."""
    chained = graph.with_nodes(_from_the_start(graph, node) for node in graph.nodes)
    return bypass(chained, {n.outputs[0]: n.inputs[0] for n in chained.nodes if _idle(chained, n)})


def _from_the_start(graph: Graph, node: Node) -> Node:
    """A reshape of a reshape reads what the first one read; the first may be left unread."""
    source = node
    while isinstance(source.op, Reshape):
        before = graph.producers.get(source.inputs[0])
        if before is None or not isinstance(before.op, Reshape):
            break
        source = before
    return node if source is node else replace(node, inputs=source.inputs)


def _idle(graph: Graph, node: Node) -> bool:
    if not isinstance(node.op, Reshape) or node.outputs[0] in graph.outputs:
        return False
    (before,), (after,) = graph.signature(node).inputs, graph.signature(node).outputs
    assert before is not None
    return before.type == after.type and before.quantization == after.quantization
