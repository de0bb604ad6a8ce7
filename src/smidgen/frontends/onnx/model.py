"""An ONNX model as plain data, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smidgen.core.dtypes import Array

Attribute = int | float | str | Array | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | None
"""The value of a node's attribute; None stands for a kind that is not read, such as a subgraph."""


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """One operator call; empty input names stand for inputs that are not given."""

    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

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
