"""GELU in pieces, as exporters write it before operator set 20, becomes the one operator it is.

Erf is the rarest of its five nodes, so the search begins there: x / sqrt(2) goes in, 1 is added to
what comes out, and the sum is multiplied with x and with 1/2 in whatever order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from smidgen.core.dtypes import Array
from smidgen.frontends.onnx.model import OnnxModel, OnnxNode
from smidgen.frontends.onnx.ports import constants_of

_CLOSE = 1e-3


@dataclass(frozen=True, slots=True)
class _Graph:
    constants: Mapping[str, Array]
    makers: Mapping[str, OnnxNode]
    readers: Mapping[str, list[OnnxNode]]
    kept: frozenset[str]
    """The model's outputs, which stay."""

    def number(self, name: str) -> float | None:
        """The one number that `name` is known to be."""
        values = self.constants.get(name)
        return float(values.reshape(-1)[0]) if values is not None and values.size == 1 else None

    def by_number(self, node: OnnxNode | None, kind: str, wanted: float) -> str | None:
        """What `node` combines with the constant `wanted`, if it is such a node."""
        if node is None or node.op_type != kind or node.domain or len(node.inputs) != 2:
            return None
        for place in (1,) if kind == "Div" else (0, 1):
            found = self.number(node.inputs[place])
            if found is not None and abs(found - wanted) < _CLOSE * wanted:
                return node.inputs[1 - place]
        return None

    def factors(self, name: str, x: str) -> set[str]:
        """Which factors of a GELU of `x` the operand `name` is."""
        if name == x:
            return {"x"}
        if self.number(name) == 0.5:
            return {"half"}
        halved = self.by_number(self.makers.get(name), "Mul", 0.5) == x
        return {"x", "half"} if halved else set()

    def only_reader(self, name: str) -> OnnxNode | None:
        """The one node that reads `name`, which is no output of the model."""
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and name not in self.kept else None


def with_gelu(model: OnnxModel) -> OnnxModel:
    """`model` with every GELU as one node; pieces that nobody else needs are left over, unread."""
    if not any(node.op_type == "Erf" for node in model.nodes):
        return model
    graph = _graph_of(model)
    whole = dict(
        pair
        for node in model.nodes
        if node.op_type == "Erf" and not node.domain
        for pair in _whole(graph, node)
    )
    nodes = (whole.get(node.outputs[0], node) if node.outputs else node for node in model.nodes)
    return replace(model, nodes=tuple(nodes))


def _graph_of(model: OnnxModel) -> _Graph:
    readers: dict[str, list[OnnxNode]] = {}
    for node in model.nodes:
        for name in dict.fromkeys(node.inputs):
            readers.setdefault(name, []).append(node)
    makers = {name: node for node in model.nodes for name in node.outputs}
    outputs = frozenset(port.name for port in model.outputs)
    return _Graph(constants_of(model, model.nodes), makers, readers, outputs)


def _whole(graph: _Graph, erf: OnnxNode) -> Iterator[tuple[str, OnnxNode]]:
    """The GELU that `erf` belongs to, in the place of its last node, by that node's output."""
    scaling = graph.makers.get(erf.inputs[0]) if erf.inputs else None
    x = graph.by_number(scaling, "Div", math.sqrt(2.0))
    x = x or graph.by_number(scaling, "Mul", math.sqrt(0.5))
    plus = graph.only_reader(erf.outputs[0])
    if not x or plus is None or graph.by_number(plus, "Add", 1.0) is None:
        return
    missing, given = {"x", "half"}, plus
    while missing:
        product = graph.only_reader(given.outputs[0])
        if product is None or product.op_type != "Mul" or len(product.inputs) != 2:
            return
        factors = graph.factors(product.inputs[product.inputs[0] == given.outputs[0]], x)
        if not factors or not factors <= missing:
            return
        missing, given = missing - factors, product
    yield given.outputs[0], OnnxNode(given.name or erf.name, "Gelu", "", (x,), given.outputs)
