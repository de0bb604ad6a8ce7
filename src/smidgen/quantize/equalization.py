"""Cross-layer equalisation: factors move between layers so that channels use their range alike.

Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
section 4.1: relu(s x) = s relu(x) for s > 0, so that a channel may be divided by s on its way out
of one layer and multiplied by s on its way into the next. s = sqrt(r1 / r2) of the two weight
ranges makes both alike. It matters most where weights have one scale for the whole layer;
activations gain from it too, since channels of one tensor share a scale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.graph.check import check
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.support.activation import Activation

ROUNDS = 10
HOMOGENEOUS = (Activation.NONE, Activation.RELU)
_Layer = (Conv2D, DepthwiseConv2D, Dense)
_Between = (AveragePool2D, MaxPool2D)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two layers, the second the only reader of the first, with nothing but pools between them."""

    first: Node
    second: Node


def equalize(graph: Graph) -> Graph:
    """The same function with evened out weights; layers with relu6 or other limits stay."""
    pairs = [pair for node in graph.nodes if (pair := _pair(graph, node)) is not None]
    for _ in range(ROUNDS if pairs else 0):
        for pair in pairs:
            graph = _balanced(graph, pair)
    return check(graph, after="equalize")


def _pair(graph: Graph, node: Node) -> _Pair | None:
    if not isinstance(node.op, _Layer) or node.op.activation not in HOMOGENEOUS:
        return None
    name = node.outputs[0]
    while graph.has_one_reader(name):
        (reader,) = graph.consumers[name]
        if isinstance(reader.op, _Layer):
            return _Pair(node, reader) if _matches(graph, node, reader) else None
        keeps = isinstance(reader.op, _Between) and reader.op.activation in HOMOGENEOUS
        if not keeps and not isinstance(reader.op, Reshape):
            return None
        name = reader.outputs[0]
    return None


def _matches(graph: Graph, first: Node, second: Node) -> bool:
    """Whether the channels that `first` gives are those that `second` weighs, each by its own."""
    if not all(_is_own_constant(graph, name) for name in (*first.inputs[1:], *second.inputs[1:])):
        return False
    channels = graph.tensors[first.outputs[0]].shape[-1]
    weights = graph.tensors[second.inputs[1]].shape
    if isinstance(second.op, DepthwiseConv2D):
        return weights[3] == channels
    if isinstance(second.op, Dense):
        return weights[1] % channels == 0
    return weights[3] == channels == graph.tensors[second.inputs[0]].shape[-1]


def _is_own_constant(graph: Graph, name: str) -> bool:
    return graph.tensors[name].is_constant and len(graph.consumers[name]) == 1


def _balanced(graph: Graph, pair: _Pair) -> Graph:
    """`graph` with one pair's weights evened out."""
    given = _by_channel_out(graph, pair.first)
    taken = _by_channel_in(graph, pair.second, len(given))
    usable = (given > 0.0) & (taken > 0.0)
    ratio = np.divide(given, taken, out=np.ones(len(given)), where=usable)
    factor = np.sqrt(ratio)
    first, second = (graph.tensors[node.inputs[1]] for node in (pair.first, pair.second))
    outwards = factor if isinstance(pair.first.op, DepthwiseConv2D) else _column(factor, first)
    inwards = _inwards(pair.second, second, factor)
    changed = [_scaled(first, 1.0 / outwards), _scaled(second, inwards)]
    if len(pair.first.inputs) > 2:
        changed.append(_scaled(graph.tensors[pair.first.inputs[2]], 1.0 / factor))
    return graph.with_nodes(graph.nodes, changed)


def _by_channel_out(graph: Graph, node: Node) -> Array:
    """The largest magnitude of the weights of each output channel."""
    weights = np.abs(graph.tensors[node.inputs[1]].values.astype(np.float64))
    if isinstance(node.op, DepthwiseConv2D):
        return np.asarray(weights.max(axis=(0, 1, 2)))
    return np.asarray(weights.reshape(len(weights), -1).max(axis=1))


def _by_channel_in(graph: Graph, node: Node, channels: int) -> Array:
    """The largest magnitude of the weights that meet each input channel (it varies fastest)."""
    weights = np.abs(graph.tensors[node.inputs[1]].values.astype(np.float64))
    return np.asarray(weights.reshape(-1, channels).max(axis=0))


def _column(factor: Array, weights: Tensor) -> Array:
    return factor.reshape(-1, *[1] * (len(weights.shape) - 1))


def _inwards(node: Node, weights: Tensor, factor: Array) -> Array:
    """`factor` for the last axis of the second layer's weights; a flattened image repeats it."""
    repeats = weights.shape[-1] // len(factor) if isinstance(node.op, Dense) else 1
    return np.tile(factor, repeats)


def _scaled(tensor: Tensor, factor: Array) -> Tensor:
    values = (tensor.values.astype(np.float64) * factor).astype(np.float32)
    return replace(tensor, data=values)
