"""The rules of a valid graph, run after every rewrite.

1. Every name that a node or the graph mentions is a tensor.
2. A node reads only inputs of the graph, constants, state, and what an earlier node produced.
3. Each tensor has at most one producer, and neither inputs nor constants have one.
4. The types of a node's outputs are those that its op infers.
5. Values have the dtype and shape of their tensor; quantised axes have one scale for each slice.
"""

from __future__ import annotations

from smidgen.core.errors import GraphError
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Tensor


def check(graph: Graph, after: str) -> Graph:
    """Return `graph` if it is valid; raise GraphError naming the rule, the place and `after`."""
    for tensor in graph.tensors.values():
        _check_tensor(tensor, after)
    ready = _sources(graph)
    names: set[str] = set()
    for node in graph.nodes:
        if node.name in names:
            raise GraphError(f"node {node.name!r}", "the name is taken twice", f"after {after}")
        names.add(node.name)
        _check_node(graph, node, ready, after)
        ready.update(node.outputs)
    for name in graph.outputs:
        if name not in ready:
            raise GraphError(f"output {name!r}", "nothing produces it", f"after {after}")
    return graph


def _sources(graph: Graph) -> set[str]:
    missing = [name for name in graph.inputs if name not in graph.tensors]
    if missing:
        raise GraphError(f"input {missing[0]!r}", "there is no such tensor")
    given = {tensor.name for tensor in graph.tensors.values() if tensor.data is not None}
    return given | set(graph.inputs)


def _check_tensor(tensor: Tensor, after: str) -> None:
    if any(extent < 0 for extent in tensor.shape):
        raise GraphError(f"tensor {tensor.name!r}", f"shape {tensor.shape}", f"after {after}")
    data = tensor.data
    if data is not None and (data.shape != tensor.shape or data.dtype != tensor.dtype.numpy):
        raise GraphError(
            f"tensor {tensor.name!r}",
            f"values are {data.dtype}{data.shape}, not {tensor.dtype.label}{tensor.shape}",
            f"after {after}",
        )
    quant = tensor.quantization
    if quant is None:
        return
    slices = tensor.shape[quant.axis] if quant.axis is not None else 1
    if not len(quant.scales) == len(quant.zero_points) == slices:
        raise GraphError(
            f"tensor {tensor.name!r}",
            f"{len(quant.scales)} scales for {slices} slices",
            f"after {after}",
        )


def _check_node(graph: Graph, node: Node, ready: set[str], after: str) -> None:
    for name in node.inputs:
        if name != ABSENT and name not in ready:
            raise GraphError(
                f"node {node.name!r}", f"reads {name!r} before it exists", f"after {after}"
            )
    for name in node.outputs:
        if name in ready or name not in graph.tensors:
            raise GraphError(
                f"node {node.name!r}", f"output {name!r} is no fresh tensor", f"after {after}"
            )
    signature = graph.signature(node)
    inferred = node.op.infer(signature.inputs)
    actual = tuple(tensor.type for tensor in signature.outputs)
    if inferred != actual:
        raise GraphError(
            f"node {node.name!r}", f"{actual} where {inferred} is inferred", f"after {after}"
        )
