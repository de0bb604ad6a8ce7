"""The graph: immutable; a rewrite makes a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor

ABSENT = ""
"""The name that stands for an optional input that is not given."""


@dataclass(frozen=True, slots=True)
class Node:
    """One application of an op to tensors, which it names."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Tensors by name, nodes in an order in which they can run, names of inputs and outputs.

    Layout is NHWC; the batch is 1 in generated code. `smidgen.graph.check` holds the rules.
    """

    name: str
    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    @cached_property
    def producers(self) -> Mapping[str, Node]:
        """The node that produces each activation."""
        return {output: node for node in self.nodes for output in node.outputs}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that read each tensor, in order; a graph output counts as nobody's reading."""
        readers: dict[str, list[Node]] = {name: [] for name in self.tensors}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                if name != ABSENT:
                    readers[name].append(node)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    def signature(self, node: Node) -> Signature:
        """The typed operands of `node`."""
        return Signature(
            tuple(self.tensors[name] if name != ABSENT else None for name in node.inputs),
            tuple(self.tensors[name] for name in node.outputs),
        )

    def has_one_reader(self, name: str) -> bool:
        """Whether exactly one node reads tensor `name` and the caller of the graph does not."""
        return len(self.consumers[name]) == 1 and name not in self.outputs

    @property
    def states(self) -> tuple[Tensor, ...]:
        """The tensors that outlive one run."""
        return tuple(tensor for tensor in self.tensors.values() if tensor.is_state)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return sum(node.op.macs(self.signature(node)) for node in self.nodes)

    def with_nodes(self, nodes: Iterable[Node], tensors: Iterable[Tensor] = ()) -> Graph:
        """A copy with other nodes and `tensors` added or replaced; unused tensors are dropped."""
        kept = tuple(nodes)
        pool = {**self.tensors, **{tensor.name: tensor for tensor in tensors}}
        used = dict.fromkeys(
            name
            for names in (
                self.inputs,
                *((*node.inputs, *node.outputs) for node in kept),
                self.outputs,
            )
            for name in names
            if name != ABSENT
        )
        return replace(self, tensors={name: pool[name] for name in used}, nodes=kept)
