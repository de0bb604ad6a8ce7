"""An ONNX model as plain data, before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smidgen.core.dtypes import Array


@dataclass(frozen=True, slots=True)
class Branch:
    """A graph that is an attribute; it may read what the graph around it computes."""

    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Array]
    outputs: tuple[str, ...]


Numbers = tuple[int, ...] | tuple[float, ...]
Attribute = int | float | str | Array | Numbers | tuple[str, ...] | Branch | None
"""The value of a node's attribute; None stands for a kind that is not read."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One operator call; empty input names stand for inputs that are not given."""

    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @property
    def reads(self) -> Iterator[str]:
        """Every name that the node reads, its branches included; some of these are their own."""
        yield from self.inputs
        for value in self.attributes.values():
            if isinstance(value, Branch):
                yield from value.outputs
                for node in value.nodes:
                    yield from node.reads

    @property
    def makes(self) -> Iterator[str]:
        """Every name that the node's branches define."""
        for value in self.attributes.values():
            if isinstance(value, Branch):
                yield from value.constants
                for node in value.nodes:
                    yield from (*node.outputs, *node.makes)

    def __str__(self) -> str:
        named = self.name or next((name for name in self.outputs if name), "without a name")
        return f"{self.op_type} {named!r}"


@dataclass(frozen=True, slots=True)
class OnnxPort:
    """An input or output of the model; `shape` has names for symbolic extents, None if unknown."""

    name: str
    element: int
    """TensorProto.DataType, 0 where it is no tensor or not said."""
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """The main graph of a file; `file` is its name for messages."""

    file: str
    opsets: Mapping[str, int]
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, Array]
    inputs: tuple[OnnxPort, ...]
    outputs: tuple[OnnxPort, ...]
    functions: tuple[str, ...] = ()
    elements: Mapping[str, int] = field(default_factory=dict)
    """The types of constants for which NumPy has none, by name."""

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators."""
        return self.opsets.get("", 1)
