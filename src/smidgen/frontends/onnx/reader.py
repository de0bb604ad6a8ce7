"""Reads ONNX files that may come from strangers.

Whatever the bytes are, the outcome is an `OnnxModel`, a `ModelFileError` or an `UnsupportedError`,
in time and memory proportional to the file's size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ModelFileError, UnsupportedType
from smidgen.frontends.onnx.model import Attribute, Branch, OnnxModel, OnnxNode, OnnxPort
from smidgen.frontends.onnx.narrow import bits_of
from smidgen.frontends.onnx.tensors import DATA_TYPE, NAME, read_tensor
from smidgen.frontends.onnx.wire import Budget, Message

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_FIELDS = 300_000
"""Fields of all messages together; constants are a field each, whatever their size."""

MODEL_GRAPH, MODEL_OPSETS, MODEL_FUNCTIONS = 7, 8, 25
GRAPH_NODES, GRAPH_CONSTANTS, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_SPARSE = 1, 5, 11, 12, 15
_DEFAULT_DOMAINS = ("", "ai.onnx")


def read_onnx(data: bytes, file: str, folder: Path | None = None) -> OnnxModel:
    """The model in `data`; `file` names it in messages, `folder` may hold its external data.

    Raises ModelFileError where the bytes are no ONNX model, or a damaged one.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ModelFileError(
            file, f"has {len(data)} bytes, far beyond any microcontroller", "use a smaller model"
        )
    model = Message.parse(memoryview(data), Budget(file, MAX_FIELDS))
    graph = model.message(MODEL_GRAPH)
    opsets = {entry.text(1): entry.integer(2) for entry in model.messages(MODEL_OPSETS)}
    if not opsets or not graph.has(GRAPH_OUTPUTS):
        raise model.budget.damaged("it has no graph, or does not say its operator set")
    if graph.has(GRAPH_SPARSE):
        raise UnsupportedType(file, "has sparse constants", "store its weights densely")
    constants = _constants(graph, folder)
    return OnnxModel(
        file,
        {_domain(domain): version for domain, version in opsets.items()},
        tuple(_node(message, folder) for message in graph.messages(GRAPH_NODES)),
        constants,
        # Until IR version 4 constants were listed among the inputs, too.
        tuple(
            port for port in map(_port, graph.messages(GRAPH_INPUTS)) if port.name not in constants
        ),
        tuple(_port(message) for message in graph.messages(GRAPH_OUTPUTS)),
        tuple(message.text(1) for message in model.messages(MODEL_FUNCTIONS)),
        _narrow_elements(graph),
    )


def _domain(name: str) -> str:
    return "" if name in _DEFAULT_DOMAINS else name


def _constants(graph: Message, folder: Path | None) -> dict[str, Array]:
    return {
        message.text(NAME): read_tensor(message, folder)
        for message in graph.messages(GRAPH_CONSTANTS)
    }


def _narrow_elements(graph: Message) -> dict[str, int]:
    """The types of constants that arrays hold in another."""
    each = (
        (message.text(NAME), message.integer(DATA_TYPE))
        for message in graph.messages(GRAPH_CONSTANTS)
    )
    return {name: element for name, element in each if bits_of(element)}


def _node(message: Message, folder: Path | None, depth: int = 0) -> OnnxNode:
    attributes = (_attribute(entry, folder, depth) for entry in message.messages(5))
    return OnnxNode(
        name=message.text(3),
        op_type=message.text(4),
        domain=_domain(message.text(7)),
        inputs=tuple(message.texts(1)),
        outputs=tuple(message.texts(2)),
        attributes=dict(attributes),
    )


def _branch(message: Message, folder: Path | None, depth: int) -> Branch | None:
    """A graph inside a node; not read where it is nested too deeply for a model."""
    if depth > _MOST_NESTED:
        return None
    return Branch(
        tuple(_node(node, folder, depth) for node in message.messages(GRAPH_NODES)),
        _constants(message, folder),
        tuple(port.text(1) for port in message.messages(GRAPH_OUTPUTS)),
    )


_MOST_NESTED = 8
_FLOAT, _INT, _STRING, _TENSOR, _GRAPH, _FLOATS, _INTS, _STRINGS = range(1, 9)
_FIELD_OF_KIND = {
    **{_FLOAT: 2, _INT: 3, _STRING: 4, _TENSOR: 5, _GRAPH: 6},
    **{_FLOATS: 7, _INTS: 8, _STRINGS: 9},
}


def _attribute(message: Message, folder: Path | None, depth: int) -> tuple[str, Attribute]:
    """Name and value; the kind is said since IR version 2, and told by the field before."""
    name = message.text(1)
    present = (kind for kind, number in _FIELD_OF_KIND.items() if message.has(number))
    kind = message.integer(20) or next(present, 0)
    return name, _attribute_value(message, kind, folder, depth)


def _attribute_value(message: Message, kind: int, folder: Path | None, depth: int) -> Attribute:
    number = _FIELD_OF_KIND.get(kind, 0)
    floats = message.floats(number) if kind in (_FLOAT, _FLOATS) else np.zeros(0)
    values: Mapping[int, Callable[[], Attribute]] = {
        _FLOAT: lambda: float(floats[-1]) if len(floats) else 0.0,
        _INT: lambda: message.integer(number),
        _STRING: lambda: _text(message, number),
        _TENSOR: lambda: read_tensor(message.message(number), folder),
        _GRAPH: lambda: _branch(message.message(number), folder, depth + 1),
        _FLOATS: lambda: tuple(floats.tolist()),
        _INTS: lambda: tuple(message.integers(number).tolist()),
        _STRINGS: lambda: tuple(message.texts(number)),
    }
    return values[kind]() if kind in values else None


def _text(message: Message, number: int) -> str:
    blobs = message.blobs(number)
    return bytes(blobs[-1]).decode("utf-8", "replace") if blobs else ""


def _port(message: Message) -> OnnxPort:
    tensor = message.message(2).message(1)
    shape = None
    if tensor.has(2):
        shape = tuple(_extent(dimension) for dimension in tensor.message(2).messages(1))
    return OnnxPort(message.text(1), tensor.integer(1), shape)


def _extent(dimension: Message) -> int | str:
    if dimension.has(1):
        return dimension.integer(1)
    return dimension.text(2) or "?"
