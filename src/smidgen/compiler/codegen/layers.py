"""One layer as reports and comments have it."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.compiler.artifact import Layer
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor


def layer_of(
    graph: Graph, node: Node, kernel: str, symbol: str, weight_bytes: int, scratch_bytes: int
) -> Layer:
    """The record of `node`, which the C function `symbol` runs."""
    signature = graph.signature(node)
    activations = [t for t in signature.inputs if t is not None and not t.is_constant]
    return Layer(
        node.name,
        node.op.kind,
        kernel,
        symbol,
        node.op.macs(signature),
        weight_bytes,
        scratch_bytes,
        sum(tensor.nbytes for tensor in (*activations, *signature.outputs)),
        tuple(tensor.shape for tensor in activations),
        tuple(tensor.shape for tensor in signature.outputs),
    )


def shapes_of(graph: Graph, node: Node) -> str:
    """``49x10x1 -> 25x5x64, weights 64x10x4x1``."""
    moving, results = operands(graph, node)
    given = [graph.tensors[name] for name in node.inputs if name]
    still = [tensor for tensor in given[1:2] if tensor.is_constant]
    weights = "".join(f", weights {_shape(tensor)}" for tensor in still)
    return f"{_shapes(moving)} -> {_shapes(results)}{weights}"


def macs_of(graph: Graph, node: Node) -> str:
    """`` | 320000 MAC``; nothing for a layer without any."""
    macs = node.op.macs(graph.signature(node))
    return f" | {macs} MAC" if macs else ""


def operands(graph: Graph, node: Node) -> tuple[list[Tensor], list[Tensor]]:
    """The inputs that are no constants, and the outputs."""
    given = [graph.tensors[name] for name in node.inputs if name]
    moving = [tensor for tensor in given if not tensor.is_constant]
    return moving, [graph.tensors[name] for name in node.outputs]


def _shape(tensor: Tensor) -> str:
    return "x".join(str(extent) for extent in tensor.shape) or "scalar"


def _shapes(tensors: Sequence[Tensor]) -> str:
    return " and ".join(_shape(tensor) for tensor in tensors) or "nothing"
