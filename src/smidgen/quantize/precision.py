"""Which type each layer computes in, and which type each activation is made in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from smidgen.core.dtypes import DType
from smidgen.core.errors import UnknownName
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.op import Op
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.index.gather import Gather
from smidgen.ops.index.ops import Select
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.resize.ops import ResizeNearest
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.state.ops import AssignState, ReadState
from smidgen.quantize.config import PRECISIONS, QuantizeConfig
from smidgen.quantize.rules import Form, Port, activation_ports, rule_of

_WIDTH = (DType.INT8, DType.INT16, DType.FLOAT32)
"""From the least precise to the most."""
_FOLLOWERS = (
    *(Reshape, Movement, Concat, Pack, Split, Unpack, Gather, Select, Minimum, Maximum),
    *(MaxPool2D, AveragePool2D, ResizeNearest),
)
"""Ops that share one scale with their operands, and that have kernels for every type."""


@dataclass(frozen=True, slots=True)
class Precision:
    """The type of each layer, by name, and of each float activation where it is made."""

    layers: Mapping[str, DType]
    homes: Mapping[str, DType]

    def port(self, node: Node, port: Port) -> DType:
        """The type in which an activation of `node` is read or written."""
        dtype = self.layers[node.name]
        return port_type(node, port, dtype)


def port_type(node: Node, port: Port, dtype: DType) -> DType:
    """The type of an operand of `node` when the layer has precision `dtype`."""
    if dtype is DType.FLOAT32:
        return dtype
    form = rule_of(node).form(port)
    if form is Form.POWER_OF_TWO:
        return DType.INT16
    return DType.INT8 if form is Form.INT8 else dtype


def ports(node: Node, dtype: DType) -> tuple[tuple[Port, str], ...]:
    """The activations around `node`; all that is float, where it stays in float."""
    if dtype is not DType.FLOAT32:
        return activation_ports(node)
    inputs: list[tuple[Port, str]] = [
        (("in", index), name) for index, name in enumerate(node.inputs) if name != ABSENT
    ]
    return (*inputs, *((("out", index), name) for index, name in enumerate(node.outputs)))


def precision_of(graph: Graph, config: QuantizeConfig) -> Precision:
    """The types that `config` asks for; raises UnknownName where `keep` names nothing."""
    _check_names(graph, config)
    layers = {node.name: _asked(node, config) for node in graph.nodes}
    if config.keep:
        _follow(graph, config, layers)
    _agree_on_states(graph, layers)
    return Precision(layers, _homes(graph, config, layers))


def _check_names(graph: Graph, config: QuantizeConfig) -> None:
    known = {node.name for node in graph.nodes} | {node.op.kind for node in graph.nodes}
    for name in config.keep:
        if name not in known:
            raise UnknownName("layer or kind of op", name, known)


def _asked(node: Node, config: QuantizeConfig) -> DType:
    wanted = config.keep.get(node.name, config.keep.get(node.op.kind, config.activations))
    return PRECISIONS[wanted]


def follows(op: Op) -> bool:
    """Whether `op` adds no error worth a type of its own, so that it takes its operand's."""
    return isinstance(op, _FOLLOWERS)


def _follow(graph: Graph, config: QuantizeConfig, layers: dict[str, DType]) -> None:
    """Layers that only move or compare take the type of what they read, unless they are named.

    What reads the graph's inputs takes the type of what reads it, if that is one.
    """
    named = config.keep.keys()
    free = [
        node for node in graph.nodes if follows(node.op) and not named & {node.name, node.op.kind}
    ]
    for node in reversed(free):
        readers = {layers[r.name] for name in node.outputs for r in graph.consumers[name]}
        if len(readers) == 1 and not _makers(graph, node):
            layers[node.name] = readers.pop()
    for node in free:
        makers = [layers[maker.name] for maker in _makers(graph, node)]
        layers[node.name] = max(makers, key=_WIDTH.index, default=layers[node.name])


def _makers(graph: Graph, node: Node) -> list[Node]:
    """The nodes whose real numbers `node` reads."""
    real = [n for n in node.inputs if n and graph.tensors[n].dtype is DType.FLOAT32]
    return [graph.producers[name] for name in real if name in graph.producers]


def _agree_on_states(graph: Graph, layers: dict[str, DType]) -> None:
    """A state is of one type: the widest that one of the nodes around it has for it."""
    for state in graph.states:
        around = graph.consumers[state.name]
        types = (_state_type(graph, node, layers, state.name) for node in around)
        widest = max(types, key=_WIDTH.index)
        for node in around:
            if isinstance(node.op, (ReadState, AssignState)):
                layers[node.name] = widest


def _state_type(graph: Graph, node: Node, layers: Mapping[str, DType], state: str) -> DType:
    """The type in which `node` holds a state: that of an LSTM's cell is special."""
    if not isinstance(node.op, (ReadState, AssignState)):
        return _read_type(node, layers, {state})
    names = {name for name in (*node.inputs, *node.outputs) if name != ABSENT}
    makers = [graph.producers[name] for name in names if name in graph.producers]
    readers = [reader for name in node.outputs for reader in graph.consumers[name]]
    types = (_read_type(other, layers, names) for other in (*makers, *readers))
    special = [layers[node.name], *(dtype for dtype in types if dtype is DType.INT16)]
    return max(special, key=_WIDTH.index)


def _read_type(node: Node, layers: Mapping[str, DType], names: Collection[str]) -> DType:
    """The widest type in which `node` reads or writes one of `names`."""
    dtype = layers[node.name]
    around = (port_type(node, port, dtype) for port, name in ports(node, dtype) if name in names)
    return max(around, key=_WIDTH.index)


def _homes(graph: Graph, config: QuantizeConfig, layers: Mapping[str, DType]) -> dict[str, DType]:
    """The type in which each float tensor that is no constant is made."""
    homes: dict[str, DType] = {}
    for node in graph.nodes:
        for port, name in ports(node, layers[node.name]):
            if port[0] == "out" and graph.tensors[name].dtype is DType.FLOAT32:
                homes[name] = port_type(node, port, layers[node.name])
    for name in graph.inputs:
        if graph.tensors[name].dtype is DType.FLOAT32:
            homes[name] = _input_type(graph, config, layers, name)
    for state in graph.states:
        if state.dtype is DType.FLOAT32:
            homes[state.name] = _input_type(graph, config, layers, state.name)
    return homes


def _input_type(
    graph: Graph, config: QuantizeConfig, layers: Mapping[str, DType], name: str
) -> DType:
    """What all readers of an input want, or, where they differ, the general type."""
    if config.float_io and name in graph.inputs:
        return DType.FLOAT32
    wanted = {
        port_type(node, port, layers[node.name])
        for node in graph.consumers[name]
        for port, read in ports(node, layers[node.name])
        if read == name and port[0] == "in"
    }
    return wanted.pop() if len(wanted) == 1 else config.dtype
