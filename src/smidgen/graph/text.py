"""The text form of a graph: for people to read, for tests to compare, and to be parsed again.

    graph keywords
    input window: int8[1,12,6,1] * 0.5 -4
    const w0: int8[8,3,3,1] * 8 scales @0 = #5f0c1de2a4b7c390
    conv2d_0 = conv2d(window, w0, b0) stride=(2, 2) padding=(0, 1, 0, 1) activation=relu
      -> x: int8[1,6,3,8] * 0.2 -128
    output x

A type is followed by its quantisation: scale and zero point, or the number of scales and their
axis. Constants of up to eight elements stand in the text; of larger ones, and of the scales of
per-channel tensors, the text has a fingerprint, and `parse_graph` is handed the arrays.
Attributes that have their default are left out.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, astuple, fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_type_hints

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.check import check
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.op import OP_TYPES, Op
from smidgen.graph.tensor import Quantization, Tensor

INLINE_ELEMENTS = 8
# What reading damaged text may raise anywhere in the parser.
_UNREADABLE = (ValueError, KeyError, TypeError, SyntaxError, IndexError, AttributeError)
_PLAIN = re.compile(r"[A-Za-z_][\w./:#;-]*")


def print_graph(graph: Graph) -> str:
    """The text of `graph`."""
    return "\n".join(_lines(graph)) + "\n"


def arrays_of(graph: Graph) -> dict[str, Array]:
    """The arrays that the text of `graph` names by fingerprint."""
    found: dict[str, Array] = {}
    for tensor in graph.tensors.values():
        if tensor.data is not None and tensor.elements > INLINE_ELEMENTS:
            found[fingerprint(tensor.data)] = tensor.data
        if tensor.quantization is not None and tensor.quantization.axis is not None:
            table = _quantization_table(tensor.quantization)
            found[fingerprint(table)] = table
    return found


def fingerprint(values: Array) -> str:
    """Sixteen hexadecimal digits that stand for an array's dtype, shape and values."""
    content = f"{values.dtype}{values.shape}".encode() + np.ascontiguousarray(values).tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def _lines(graph: Graph) -> Iterator[str]:
    yield f"graph {_name(graph.name)}"
    for name in graph.inputs:
        yield f"input {_typed(graph.tensors[name])}"
    for tensor in graph.tensors.values():
        if tensor.data is not None:
            kind = "state" if tensor.is_state else "const"
            yield f"{kind} {_typed(tensor)} = {_values(tensor.data)}"
    for node in graph.nodes:
        operands = ", ".join(_name(name) if name != ABSENT else "-" for name in node.inputs)
        attributes = "".join(f" {text}" for text in _attributes(node.op))
        yield f"{_name(node.name)} = {node.op.kind}({operands}){attributes}"
        for name in node.outputs:
            yield f"  -> {_typed(graph.tensors[name])}"
    for name in graph.outputs:
        yield f"output {_name(name)}"


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name)


def _typed(tensor: Tensor) -> str:
    shape = ",".join(str(extent) for extent in tensor.shape)
    return f"{_name(tensor.name)}: {tensor.dtype.label}[{shape}]{_quantization(tensor)}"


def _quantization(tensor: Tensor) -> str:
    quant = tensor.quantization
    if quant is None:
        return ""
    if quant.axis is None:
        return f" * {quant.scales[0]!r} {quant.zero_points[0]}"
    table = fingerprint(_quantization_table(quant))
    return f" * {len(quant.scales)} scales @{quant.axis} #{table}"


def _quantization_table(quant: Quantization) -> Array:
    return np.array([quant.scales, quant.zero_points], np.float64)


def _values(values: Array) -> str:
    if values.size > INLINE_ELEMENTS:
        return f"#{fingerprint(values)}"
    return json.dumps(values.reshape(-1).tolist())


def _attributes(op: Op) -> Iterator[str]:
    for field in fields(op):  # type: ignore[arg-type]  # every op is a dataclass
        value = getattr(op, field.name)
        if value != _default(field):
            yield f"{field.name}={_literal(value)}"


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _literal(value: object) -> str:
    if isinstance(value, Graph):
        return f"({value.name})"  # layers within an op: for people to read, not to be parsed
    if isinstance(value, Enum):
        return value.name.lower()
    if is_dataclass(value) and not isinstance(value, type):
        return repr(astuple(value))
    return repr(value)


def parse_graph(text: str, arrays: Mapping[str, Array] | None = None) -> Graph:
    """The graph that `text` describes; `arrays` holds what it names by fingerprint.

    The op families that the text uses must have been imported. Raises GraphError naming the line.
    """
    parser = _Parser(arrays or {})
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            parser.line(line)
        except _UNREADABLE as problem:
            raise GraphError(f"line {number}", f"cannot be read: {line.strip()!r}") from problem
    return check(parser.graph(), after="parse_graph")


class _Parser:
    """Reads line after line; each starts with what it is."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self._name = ""
        self._tensors: dict[str, Tensor] = {}
        self._nodes: list[Node] = []
        self._inputs: list[str] = []
        self._outputs: list[str] = []

    def graph(self) -> Graph:
        """What was read."""
        names = tuple(self._inputs), tuple(self._outputs)
        return Graph(self._name, self._tensors, tuple(self._nodes), *names)

    def line(self, line: str) -> None:
        """Take in one line."""
        if not line.strip():
            return
        if line.startswith("  -> "):
            self._output_of_node(line[5:])
            return
        word, _, rest = line.partition(" ")
        if word in _STATEMENTS and not rest.startswith("="):
            _STATEMENTS[word](self, rest)
        else:
            self._node(line)

    def _graph(self, rest: str) -> None:
        self._name, _ = _take_name(rest)

    def _input(self, rest: str) -> None:
        tensor = self._tensor(rest)
        self._tensors[tensor.name] = tensor
        self._inputs.append(tensor.name)

    def _output(self, rest: str) -> None:
        self._outputs.append(_take_name(rest)[0])

    def _const(self, rest: str) -> None:
        self._valued(rest, is_state=False)

    def _state(self, rest: str) -> None:
        self._valued(rest, is_state=True)

    def _valued(self, rest: str, is_state: bool) -> None:
        declared, _, values = rest.rpartition(" = ")
        tensor = self._tensor(declared)
        if values.startswith("#"):
            data = self._arrays[values[1:]]
        else:
            data = np.array(json.loads(values), tensor.dtype.numpy).reshape(tensor.shape)
        self._tensors[tensor.name] = Tensor(
            tensor.name, tensor.dtype, tensor.shape, tensor.quantization, data, is_state
        )

    def _output_of_node(self, rest: str) -> None:
        tensor, last = self._tensor(rest), self._nodes[-1]
        self._tensors[tensor.name] = tensor
        self._nodes[-1] = Node(last.name, last.op, last.inputs, (*last.outputs, tensor.name))

    def _node(self, line: str) -> None:
        name, rest = _take_name(line)
        kind, _, rest = rest.removeprefix(" = ").partition("(")
        operands, rest = _take_operands(rest)
        self._nodes.append(Node(name, _op(OP_TYPES[kind], rest), operands, ()))

    def _tensor(self, text: str) -> Tensor:
        name, rest = _take_name(text)
        found = re.fullmatch(r": (\w+)\[([\d,]*)\](.*)", rest)
        if not found:
            raise ValueError(text)
        label, extents, quant = found.groups()
        shape = tuple(int(extent) for extent in extents.split(",") if extent)
        return Tensor(name, DType.parse(label), shape, self._quant(quant))

    def _quant(self, text: str) -> Quantization | None:
        if not text:
            return None
        words = text.split()
        if words[2] != "scales":
            return Quantization((float(words[1]),), (int(words[2]),))
        scales, zero_points = self._arrays[words[4][1:]].tolist()
        return Quantization(tuple(scales), tuple(int(z) for z in zero_points), int(words[3][1:]))


_STATEMENTS = {
    "graph": _Parser._graph,
    "input": _Parser._input,
    "output": _Parser._output,
    "const": _Parser._const,
    "state": _Parser._state,
}


def _take_name(text: str) -> tuple[str, str]:
    """The name that `text` starts with, and what follows it."""
    if text.startswith('"'):
        name, end = json.JSONDecoder().raw_decode(text)
        return str(name), text[end:]
    # A colon may be part of a name; the one before a type has a space behind it.
    found = _PLAIN.match(text)
    if not found:
        raise ValueError(text)
    name = found.group(0)
    if name.endswith(":"):
        name = name[:-1]
    return name, text[len(name) :]


def _take_operands(text: str) -> tuple[tuple[str, ...], str]:
    operands: list[str] = []
    while not text.startswith(")"):
        text = text.removeprefix(", ")
        if text.startswith("-"):
            operands.append(ABSENT)
            text = text[1:]
        else:
            name, text = _take_name(text)
            operands.append(name)
    return tuple(operands), text[1:]


def _op(op_type: type[Op], text: str) -> Op:
    hints = get_type_hints(op_type)
    pairs = re.findall(r" (\w+)=(.*?)(?= \w+=|$)", text)
    return op_type(**{key: _value(hints[key], literal) for key, literal in pairs})


def _value(hint: object, literal: str) -> object:
    members = [member for member in get_args(hint) if member is not type(None)]
    if literal != "None" and len(members) == 1 and isinstance(hint, UnionType):
        return _value(members[0], literal)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint[literal.upper()]
    value = ast.literal_eval(literal)
    if isinstance(hint, type) and is_dataclass(hint):
        return hint(*value)
    return value
