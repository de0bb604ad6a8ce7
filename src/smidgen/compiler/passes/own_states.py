"""Ops that overwrite a state get one that they may overwrite."""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.state.ops import AssignState, Copy


def own_states(graph: Graph) -> Graph:
    """Copy each constant or activation that an op would overwrite; states are there for that.

    It runs after constants were folded, which would undo it.
    """
    nodes: list[Node] = []
    tensors: list[Tensor] = []
    for node in graph.nodes:
        inputs = list(node.inputs)
        for index in node.op.overwrites:
            if inputs[index] != ABSENT and not _is_state(graph, inputs[index]):
                copy = f"{node.name}_start_{index}"
                given = graph.tensors[inputs[index]]
                nodes.append(Node(copy, Copy(), (given.name,), (copy,)))
                tensors.append(replace(given, name=copy, data=None))
                inputs[index] = copy
        nodes.append(replace(node, inputs=tuple(inputs)))
    return graph.with_nodes(nodes, tensors) if tensors else graph


def _is_state(graph: Graph, name: str) -> bool:
    maker = graph.producers.get(name)
    return graph.tensors[name].is_state or (maker is not None and isinstance(maker.op, AssignState))
