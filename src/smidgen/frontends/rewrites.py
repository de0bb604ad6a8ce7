"""Rewrites of a freshly lowered graph: batch norms, activations and views go into their neighbours.

A frontend writes every scale-and-shift as a 1x1 DepthwiseConv2D (an *affine*), every activation
as a Clamp and every change of shape as a Reshape; here they disappear where they can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.check import check
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul, Sub
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding

Linear = (Conv2D, DepthwiseConv2D, Dense)
Clamping = (*Linear, Add, Sub, Mul, AveragePool2D, MaxPool2D)

Rewrite = Callable[[Graph], Graph | None]
"""Makes one change to a graph, or returns None where there is nothing left to do."""

LARGEST_SPREAD = 4.0
"""An affine goes into the next layer only if its factors differ by no more than this: a channel
scaled down keeps too few of the eight bits that the layer's weights are quantised to."""


def rewritten(graph: Graph, steps: Sequence[Rewrite], what: str) -> Graph:
    """`graph` after each of `steps` has found nothing more to do; `what` is the frontend's name."""
    for step in steps:
        changed = graph
        while (done := step(changed)) is not None:
            changed = done
        # Once for each step, not for each of its changes: a model may have thousands.
        graph = graph if changed is graph else check(changed, after=f"{what} {step.__name__}")
    return graph


def fold_affine_into_producer(graph: Graph) -> Graph | None:
    """Conv or dense -> affine becomes the layer with scaled weights and bias."""
    for node in graph.nodes:
        if not _is_affine(graph, node):
            continue
        producer = _producer_through_views(graph, node.inputs[0])
        if producer is not None and _can_scale(graph, producer, node):
            merged, tensors = _scaled(graph, producer, node)
            return _without(graph, node, producer, merged, tensors)
    return None


def fuse_clamp(graph: Graph) -> Graph | None:
    """Layer -> Clamp becomes a layer that clamps."""
    for node in graph.nodes:
        if not isinstance(node.op, Clamp):
            continue
        producer = _producer_through_views(graph, node.inputs[0])
        if producer is None or not isinstance(producer.op, (*Clamping, Clamp)):
            continue
        both = _both(producer.op.activation, node.op.activation)
        if both is not None:
            merged = replace(producer, op=replace(producer.op, activation=both))
            return _without(graph, node, producer, merged, ())
    return None


def fold_affine_into_consumer(graph: Graph) -> Graph | None:
    """Affine -> conv or dense without padding becomes the layer with scaled weights and bias."""
    for node in graph.nodes:
        if not _is_affine(graph, node) or _activation(node) is not Activation.NONE:
            continue
        consumer = _consumer_through_views(graph, node.outputs[0])
        affine = Affine.of(graph, node)
        if consumer is not None and affine.is_even and _can_absorb(graph, node, consumer):
            merged, tensors = _absorbed(graph, consumer, affine)
            return _bypassed(graph, node, merged, tensors)
    return None


def merge_views(graph: Graph) -> Graph | None:
    """Reshape -> Reshape becomes one; Reshape -> Dense a Dense that reads past it."""
    for node in graph.nodes:
        source = graph.producers.get(node.inputs[0])
        if source is None or not isinstance(source.op, Reshape):
            continue
        reads_rows = isinstance(node.op, Dense) and not node.op.keep_dims
        if reads_rows or isinstance(node.op, Reshape):
            merged = replace(node, inputs=(source.inputs[0], *node.inputs[1:]))
            return _pruned(_with_replaced(graph, {node.name: merged}))
    return None


def drop_idle_views(graph: Graph) -> Graph | None:
    """A Reshape to the shape that its input has goes away, unless it is an output of the graph."""
    for node in graph.nodes:
        if isinstance(node.op, Reshape) and node.outputs[0] not in graph.outputs:
            source = node.inputs[0]
            if graph.tensors[source].shape == node.op.shape:
                return _bypassed(graph, node)
    return None


VIEWS: tuple[Rewrite, ...] = (merge_views, drop_idle_views)
REWRITES: tuple[Rewrite, ...] = (
    fold_affine_into_producer,
    fuse_clamp,
    fold_affine_into_consumer,
    *VIEWS,
)
"""What a float graph goes through."""
QUANTIZED_REWRITES: tuple[Rewrite, ...] = (fold_affine_into_producer, fuse_clamp)
"""What a graph with quanta goes through before its ops are done on them."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """scale * x + shift for each channel."""

    scale: Array
    shift: Array

    @staticmethod
    def of(graph: Graph, node: Node) -> Affine:
        """The affine that `node` is."""
        scale = graph.tensors[node.inputs[1]].values.reshape(-1).astype(np.float64)
        shift = _bias(graph, node, len(scale))
        return Affine(scale, shift)

    @property
    def is_even(self) -> bool:
        """Whether its factors differ by no more than `LARGEST_SPREAD`."""
        magnitudes = np.abs(self.scale)
        return bool(magnitudes.max() <= LARGEST_SPREAD * magnitudes.min())

    def tiled(self, count: int) -> Affine:
        """The affine of a flattened image: channels vary fastest."""
        repeats = count // len(self.scale)
        return Affine(np.tile(self.scale, repeats), np.tile(self.shift, repeats))


def _bias(graph: Graph, node: Node, channels: int) -> Array:
    if len(node.inputs) < 3:
        return np.zeros(channels)
    return graph.tensors[node.inputs[2]].values.astype(np.float64)


def _is_affine(graph: Graph, node: Node) -> bool:
    if not isinstance(node.op, DepthwiseConv2D) or node.op.stride != (1, 1):
        return False
    signature = graph.signature(node)
    pointwise = signature.input(1).shape[:3] == (1, 1, 1) and node.op.padding == Padding()
    return pointwise and signature.input(0).shape == signature.output.shape


def _producer_through_views(graph: Graph, name: str) -> Node | None:
    """What computes tensor `name`, past reshapes, if nothing else reads it on the way."""
    while graph.has_one_reader(name) and name in graph.producers:
        node = graph.producers[name]
        if not isinstance(node.op, Reshape):
            return node
        name = node.inputs[0]
    return None


def _consumer_through_views(graph: Graph, name: str) -> Node | None:
    """What reads tensor `name`, past reshapes, if it alone does."""
    while graph.has_one_reader(name):
        (node,) = graph.consumers[name]
        if not isinstance(node.op, Reshape):
            return node
        name = node.outputs[0]
    return None


def _can_scale(graph: Graph, producer: Node, affine: Node) -> bool:
    """Whether the channels of `affine` are those that `producer` computes."""
    if not isinstance(producer.op, Linear) or producer.op.activation is not Activation.NONE:
        return False
    channels = graph.tensors[affine.inputs[0]].shape[-1]
    return graph.tensors[producer.outputs[0]].shape[-1] == channels


def _scaled(graph: Graph, layer: Node, node: Node) -> tuple[Node, list[Tensor]]:
    """`layer` followed by the affine `node`, as one node with new constants."""
    assert isinstance(layer.op, Linear)
    affine = Affine.of(graph, node)
    weights = graph.tensors[layer.inputs[1]].values.astype(np.float64)
    last = isinstance(layer.op, DepthwiseConv2D)
    scale = affine.scale if last else affine.scale.reshape(-1, *[1] * (weights.ndim - 1))
    bias = _bias(graph, layer, len(affine.scale)) * affine.scale + affine.shift
    clamping = replace(layer, op=replace(layer.op, activation=_activation(node)))
    return _with_constants(clamping, weights * scale, bias)


def _activation(node: Node) -> Activation:
    return node.op.activation if isinstance(node.op, Clamping) else Activation.NONE


def _can_absorb(graph: Graph, affine: Node, consumer: Node) -> bool:
    """Whether `consumer` reads nothing but channels of `affine`: no padding, the same last axis."""
    op = consumer.op
    if not isinstance(op, Linear) or consumer.inputs[0] in consumer.inputs[1:]:
        return False
    channels = graph.tensors[affine.outputs[0]].shape[-1]
    if isinstance(op, Dense):
        return graph.tensors[consumer.inputs[1]].shape[1] % channels == 0
    return op.padding == Padding() and graph.tensors[consumer.inputs[0]].shape[-1] == channels


def _absorbed(graph: Graph, layer: Node, affine: Affine) -> tuple[Node, list[Tensor]]:
    """`affine` followed by `layer`, as one node with new constants."""
    weights = graph.tensors[layer.inputs[1]].values.astype(np.float64)
    if isinstance(layer.op, DepthwiseConv2D):
        repeats = weights.shape[3] // len(affine.scale)
        scale, shift = np.repeat(affine.scale, repeats), np.repeat(affine.shift, repeats)
        added = (weights * shift).sum(axis=(0, 1, 2))
    else:
        scale, shift = _per_weight(affine, weights)
        added = (weights * shift).reshape(len(weights), -1).sum(axis=1)
    return _with_constants(layer, weights * scale, _bias(graph, layer, len(added)) + added)


def _per_weight(affine: Affine, weights: Array) -> tuple[Array, Array]:
    """Scale and shift of the input channel that each weight [O, ..., I] of a layer meets."""
    outputs, depth = weights.shape[0], weights.shape[-1]
    whole = affine.tiled(depth) if weights.ndim == 2 else affine
    groups = len(whole.scale) // depth
    group_of_output = np.arange(outputs) // (outputs // groups)
    shape = (outputs, *[1] * (weights.ndim - 2), depth)
    scale, shift = (
        values.reshape(groups, depth)[group_of_output].reshape(shape)
        for values in (whole.scale, whole.shift)
    )
    return scale, shift


def _with_constants(layer: Node, weights: Array, bias: Array) -> tuple[Node, list[Tensor]]:
    named = {f"{layer.name}_weights": weights, f"{layer.name}_bias": bias}
    tensors = [
        Tensor(name, DType.FLOAT32, data.shape, data=data.astype(np.float32))
        for name, data in named.items()
    ]
    return replace(layer, inputs=(layer.inputs[0], *named)), tensors


def _both(first: Activation, then: Activation) -> Activation | None:
    """The one activation that equals both in turn, if there is one."""
    (low, high), (floor, ceiling) = first.value, then.value
    limits = (min(max(low, floor), ceiling), min(max(high, floor), ceiling))
    return next((activation for activation in Activation if activation.value == limits), None)


def _without(
    graph: Graph, node: Node, producer: Node, merged: Node, tensors: Sequence[Tensor]
) -> Graph:
    """`producer` becomes `merged`, `node` goes, and what computed its input writes its output."""
    last = graph.producers[node.inputs[0]]
    stands = merged if last is producer else last
    renamed = replace(stands, outputs=node.outputs)
    return _with_replaced(
        graph, {producer.name: merged, last.name: renamed, node.name: None}, tensors
    )


def _bypassed(
    graph: Graph, node: Node, merged: Node | None = None, tensors: list[Tensor] | None = None
) -> Graph:
    """`node` gone: those that read its output read its input; `merged` replaces its namesake."""
    changed: dict[str, Node | None] = {node.name: None}
    if merged is not None:
        changed[merged.name] = merged
    for reader in graph.consumers[node.outputs[0]]:
        current = changed.get(reader.name) or reader
        names = (node.inputs[0] if n == node.outputs[0] else n for n in current.inputs)
        changed[reader.name] = replace(current, inputs=tuple(names))
    return _with_replaced(graph, changed, tensors or [])


def _with_replaced(
    graph: Graph,
    changed: dict[str, Node | None],
    tensors: Sequence[Tensor] = (),
) -> Graph:
    kept = (changed.get(node.name, node) for node in graph.nodes)
    return graph.with_nodes([node for node in kept if node is not None], tensors)


def without_dead(graph: Graph) -> Graph:
    """`graph` with the nodes that its outputs and its state depend on."""
    needed, kept = set(graph.outputs), []
    for node in reversed(graph.nodes):
        if node.op.has_effect or not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return graph.with_nodes(reversed(kept))


def _pruned(graph: Graph) -> Graph:
    """Without reshapes whose result nobody reads."""
    kept = [
        node
        for node in graph.nodes
        if not isinstance(node.op, Reshape)
        or graph.consumers[node.outputs[0]]
        or node.outputs[0] in graph.outputs
    ]
    return graph.with_nodes(kept)
