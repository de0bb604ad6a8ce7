"""A graph for people: a table of its layers, and a drawing."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.core.table import render
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.tensor import Tensor


def graph_table(graph: Graph) -> str:
    """Inputs and outputs, then one line an op: shapes, types, quantisation, MACs, parameters."""
    header = (
        "layer",
        "op",
        "input",
        "output",
        "type",
        "quantisation of output",
        "MACs",
        "parameters",
    )
    rows = [_row(graph, node) for node in graph.nodes]
    rows.append(("total", "", "", "", "", "", f"{graph.macs:,}", f"{parameters(graph):,}"))
    ends = [
        *(f"input   {describe(graph.tensors[name])}" for name in graph.inputs),
        *(f"state   {describe(tensor)}" for tensor in graph.states),
        *(f"output  {describe(graph.tensors[name])}" for name in graph.outputs),
    ]
    return "\n".join([f"model   {graph.name}", *ends, "", render(header, rows, left=6)])


def describe(tensor: Tensor) -> str:
    """``name: int8 1x49x10x1, scale 0.58, zero point 83``."""
    return ", ".join(
        text
        for text in (
            f"{tensor.name}: {tensor.dtype.label} {shape_text(tensor)}",
            quant_text(tensor),
        )
        if text
    )


def shape_text(tensor: Tensor) -> str:
    """``1x49x10x1``, or ``scalar``."""
    return "x".join(str(extent) for extent in tensor.shape) or "scalar"


def quant_text(tensor: Tensor) -> str:
    """The quantisation in words; nothing for a tensor without."""
    quant = tensor.quantization
    if quant is None:
        return ""
    if quant.axis is not None:
        return f"{len(quant.scales)} scales along axis {quant.axis}"
    return f"scale {quant.scale:.6g}, zero point {quant.zero_point}"


def parameters(graph: Graph) -> int:
    """How many numbers the constants hold."""
    return sum(tensor.elements for tensor in graph.tensors.values() if tensor.is_constant)


def layer_parameters(graph: Graph, node: Node) -> int:
    """How many numbers the constants of one node hold."""
    tensors = (graph.tensors[name] for name in dict.fromkeys(node.inputs) if name != ABSENT)
    return sum(tensor.elements for tensor in tensors if tensor.is_constant)


def moving(graph: Graph, names: Sequence[str]) -> list[Tensor]:
    """Those of the named tensors that are not constant."""
    tensors = (graph.tensors[name] for name in names if name != ABSENT)
    return [tensor for tensor in tensors if not tensor.is_constant]


def _row(graph: Graph, node: Node) -> tuple[str, ...]:
    outputs = moving(graph, node.outputs)
    return (
        node.name,
        node.op.kind,
        ", ".join(shape_text(tensor) for tensor in moving(graph, node.inputs)) or "-",
        ", ".join(shape_text(tensor) for tensor in outputs),
        ", ".join(dict.fromkeys(tensor.dtype.label for tensor in outputs)),
        quant_text(outputs[0]) if outputs else "",
        f"{node.op.macs(graph.signature(node)):,}",
        f"{layer_parameters(graph, node):,}",
    )
