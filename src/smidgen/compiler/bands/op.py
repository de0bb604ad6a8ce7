"""RowBands: layers that run band by band, as one op of the graph around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from smidgen.compiler.bands.extents import BandPlan, Work, plan_bands
from smidgen.core.dtypes import Array
from smidgen.core.errors import GraphError
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType


@dataclass(frozen=True, slots=True, eq=False)
class RowBands(Op):
    """The layers of `body`, which has one output, `pace` rows of that output at a time."""

    body: Graph
    pace: Fraction

    @property
    def plan(self) -> BandPlan:
        """The rows of each band; raises GraphError where a layer has no rule for rows."""
        plan = _plan(self)
        if plan is None:
            raise GraphError(f"layers {self.body.name!r}", "cannot run in bands of rows")
        return plan

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """What the last layer gives, for just the inputs that the first layers take."""
        wanted = [self.body.tensors[name].type for name in self.body.inputs]
        if [tensor and tensor.type for tensor in inputs] != wanted:
            raise GraphError(f"layers {self.body.name!r}", f"take {wanted}")
        return (self.body.tensors[self.body.outputs[0]].type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Band by band, each layer on the rows that the bands before it left, and on new ones."""
        del signature
        values = {t.name: t.values for t in self.body.tensors.values() if t.is_constant}
        for name, given in zip(self.body.inputs, inputs, strict=True):
            assert given is not None
            values[name] = given
        plan = self.plan
        for band in range(plan.bands):
            for node in self.body.nodes:
                work = plan.work(node, band)
                if work is not None:
                    self._run(node, work, values)
        return (values[self.body.outputs[0]],)

    def macs(self, signature: Signature) -> int:
        """Those of the layers: none is computed twice."""
        del signature
        return self.body.macs

    def _run(self, node: Node, work: Work, values: dict[str, Array]) -> None:
        whole = self.body.signature(node)
        rows = slice(*work.read)
        operands = [
            None
            if name == ABSENT
            else values[name]
            if self.body.tensors[name].is_constant
            else values[name][:, rows]
            for name in node.inputs
        ]
        (made,) = work.op.evaluate(work.signature(whole), operands)
        (name,) = node.outputs
        values[name] = np.concatenate([values[name], made], 1) if name in values else made


@lru_cache(maxsize=64)
def _plan(op: RowBands) -> BandPlan | None:
    return plan_bands(op.body, op.pace)


def with_bands(graph: Graph, first: int, end: int, bands: RowBands) -> Graph:
    """`graph` with nodes `first` to `end` - 1, which are the body of `bands`, as that one op."""
    name = f"bands_{sum(isinstance(node.op, RowBands) for node in graph.nodes)}"
    node = Node(name, bands, bands.body.inputs, bands.body.outputs)
    return graph.with_nodes([*graph.nodes[:first], node, *graph.nodes[end:]])


def cut_out(graph: Graph, first: int, end: int) -> Graph | None:
    """Nodes `first` to `end` - 1 as a graph of their own; None unless one tensor leaves them."""
    nodes = graph.nodes[first:end]
    inside = {name for node in nodes for name in node.outputs}
    wanted = {*graph.outputs, *(name for node in graph.nodes[end:] for name in node.inputs)}
    leaving = sorted(inside & wanted)
    read = {name for node in nodes for name in node.inputs if name != ABSENT}
    if len(leaving) != 1 or leaving[0] in read:
        return None
    given = dict.fromkeys(
        name
        for node in nodes
        for name in node.inputs
        if name != ABSENT and name not in inside and not graph.tensors[name].is_constant
    )
    if any(graph.tensors[name].is_state for name in given):
        return None
    title = f"{nodes[0].name} to {nodes[-1].name}"
    used = (name for node in nodes for name in (*node.inputs, *node.outputs) if name != ABSENT)
    tensors = {name: graph.tensors[name] for name in used}
    return Graph(title, tensors, nodes, tuple(given), (leaving[0],))
