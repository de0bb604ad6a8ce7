"""Runs a graph in NumPy: the meaning that generated C is held to, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ArrayError
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Tensor


@dataclass(slots=True)
class Reference:
    """The reference execution of a graph; holds the state between runs."""

    graph: Graph
    state: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Put every state back to its initial values."""
        self.state = {tensor.name: tensor.values.copy() for tensor in self.graph.states}

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Outputs for `inputs`, in the order, dtypes and shapes that the graph declares."""
        values = self.trace(inputs)
        return [values[name] for name in self.graph.outputs]

    def trace(self, inputs: Sequence[Array]) -> Mapping[str, Array]:
        """The value of every tensor after one run."""
        values = {t.name: t.values for t in self.graph.tensors.values() if t.is_constant}
        values.update(self.state)
        for name, given in zip(self.graph.inputs, checked_inputs(self.graph, inputs), strict=True):
            values[name] = given
        for node in self.graph.nodes:
            self._run_node(node, values)
        return values

    def _run_node(self, node: Node, values: dict[str, Array]) -> None:
        signature = self.graph.signature(node)
        operands = [values[name] if name != ABSENT else None for name in node.inputs]
        results = node.op.evaluate(signature, operands)
        for tensor, result in zip(signature.outputs, results, strict=True):
            assert result.dtype == tensor.dtype.numpy, (node.name, result.dtype, tensor.dtype)
            assert result.shape == tensor.shape, (node.name, result.shape, tensor.shape)
            values[tensor.name] = result
        if node.op.has_effect:
            # An effect's first input is the state, its second the value that the state takes.
            self.state[node.inputs[0]] = values[node.inputs[0]] = np.array(values[node.inputs[1]])


def checked_inputs(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """`inputs` if they fit the graph; raises ArrayError naming the first that does not."""
    if len(inputs) != len(graph.inputs):
        raise ArrayError(
            f"model {graph.name!r}",
            f"got {len(inputs)} input arrays, takes {len(graph.inputs)}",
            f"pass one array for each of: {', '.join(graph.inputs)}",
        )
    return [
        check_array(graph.tensors[name], given)
        for name, given in zip(graph.inputs, inputs, strict=True)
    ]


def check_array(tensor: Tensor, given: Array) -> Array:
    """`given` if its dtype and shape are those of `tensor`, else ArrayError."""
    if given.dtype != tensor.dtype.numpy or given.shape != tensor.shape:
        raise ArrayError(
            f"input {tensor.name!r}",
            f"got {given.dtype}{list(given.shape)}, takes {tensor.dtype.label}{list(tensor.shape)}",
            "convert or reshape the array",
        )
    return given
