"""Dequantise -> quantise, and quantise -> quantise, become one quantise where that is exact.

Exact means: for each of the values of an 8- or 16-bit input the result is the same; all are tried.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.graph.graph import Graph, Node
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.quantization.ops import Dequantize, Quantize


def fold_requantization(graph: Graph) -> Graph:
    """Let the second op of such a pair read what the first one read."""
    return graph.with_nodes(_folded(graph, node) for node in graph.nodes)


def _folded(graph: Graph, node: Node) -> Node:
    first = graph.producers.get(node.inputs[0]) if isinstance(node.op, Quantize) else None
    if first is None or not isinstance(first.op, (Dequantize, Quantize)):
        return node
    source, output = graph.tensors[first.inputs[0]], graph.tensors[node.outputs[0]]
    middle = graph.tensors[first.outputs[0]]
    integers = [tensor for tensor in (source, middle, output) if tensor.dtype.is_integer]
    if source not in integers or not all(map(_can_be_tried, integers)):
        return node
    return (
        replace(node, inputs=first.inputs) if _agree(first, node, source, middle, output) else node
    )


def _agree(first: Node, second: Node, source: Tensor, middle: Tensor, output: Tensor) -> bool:
    """Whether one quantise from `source` to `output` gives what both ops give, for all values."""
    shape = (source.dtype.range[1] - source.dtype.range[0] + 1,)
    values = np.arange(*_ends(source)).astype(source.dtype.numpy)
    source, middle, output = (replace(t, shape=shape) for t in (source, middle, output))
    (halfway,) = _run(first, source, middle, values)
    (expected,) = _run(second, middle, output, halfway)
    (actual,) = _run(second, source, output, values)
    return np.array_equal(expected, actual)


def _run(node: Node, x: Tensor, output: Tensor, values: Array) -> tuple[Array, ...]:
    return node.op.evaluate(Signature((x,), (output,)), [values])


def _ends(tensor: Tensor) -> tuple[int, int]:
    low, high = tensor.dtype.range
    return low, high + 1


def _can_be_tried(tensor: Tensor) -> bool:
    """Whether it has few enough values, and one scale."""
    quant = tensor.quantization
    return tensor.dtype.value.bits in (8, 16) and quant is not None and quant.axis is None
