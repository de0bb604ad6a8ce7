"""Nodes that read constants only are run now, by the reference."""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Tensor


def fold_constants(graph: Graph) -> Graph:
    """Replace every node without effect whose inputs are all constants by its outputs.

    Outputs of the graph stay computed: the caller reads them from the arena.
    """
    known: dict[str, Tensor] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        operands = [
            known.get(name) or graph.tensors[name] for name in node.inputs if name != ABSENT
        ]
        constant = all(tensor.is_constant for tensor in operands)
        if not constant or node.op.has_effect or set(node.outputs) & set(graph.outputs):
            kept.append(node)
            continue
        known.update(_evaluated(graph, node, known))
    return graph.with_nodes(kept, known.values())


def _evaluated(graph: Graph, node: Node, known: dict[str, Tensor]) -> dict[str, Tensor]:
    signature = graph.signature(node)
    inputs = [
        (known.get(name) or graph.tensors[name]).values if name != ABSENT else None
        for name in node.inputs
    ]
    results = node.op.evaluate(signature, inputs)
    return {
        tensor.name: replace(tensor, data=result)
        for tensor, result in zip(signature.outputs, results, strict=True)
    }
