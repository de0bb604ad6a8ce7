"""conv -> clamp becomes a conv that clamps: one pass over memory less, and exact.

Only where the clamp changes no scale: then clamping the accumulator's quantum once is the same.
"""

from __future__ import annotations

from dataclasses import replace

from smidgen.core.dtypes import DType
from smidgen.graph.graph import Graph, Node
from smidgen.graph.tensor import Tensor
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.activation import Activation, clamp_range

_Fusible = (Conv2D, DepthwiseConv2D, Dense, Add, AveragePool2D, MaxPool2D)


def fuse_activations(graph: Graph) -> Graph:
    """Merge every stand-alone clamp into the op before it that can clamp."""
    merged: dict[str, Node] = {}
    dropped: set[str] = set()
    for node in graph.nodes:
        producer = graph.producers.get(node.inputs[0]) if node.inputs else None
        if producer and producer.name not in merged and _can_merge(graph, producer, node):
            assert isinstance(node.op, Clamp) and isinstance(producer.op, _Fusible)
            activation = _both(graph, producer, node)
            assert activation is not None
            op = replace(producer.op, activation=activation)
            merged[producer.name] = replace(producer, op=op, outputs=node.outputs)
            dropped.add(node.name)
    kept = (merged.get(n.name, n) for n in graph.nodes if n.name not in dropped)
    return graph.with_nodes(kept)


def _can_merge(graph: Graph, producer: Node, clamp: Node) -> bool:
    if not isinstance(clamp.op, Clamp) or not isinstance(producer.op, _Fusible):
        return False
    before, after = graph.tensors[clamp.inputs[0]], graph.tensors[clamp.outputs[0]]
    same_scale = before.dtype is DType.FLOAT32 or before.quantization == after.quantization
    return (
        same_scale
        and graph.has_one_reader(before.name)
        and _both(graph, producer, clamp) is not None
    )


def _both(graph: Graph, producer: Node, clamp: Node) -> Activation | None:
    """The activation that clamps as the producer's and then the clamp's do; None: there is none."""
    assert isinstance(producer.op, _Fusible) and isinstance(clamp.op, Clamp)
    output = graph.tensors[clamp.outputs[0]]
    first, second = producer.op.activation, clamp.op.activation
    (low, high), (lowest, highest) = (_interval(a, output) for a in (first, second))
    # Clamping to one interval and then to another is one clamp only where they overlap.
    wanted = (max(low, lowest), min(high, highest))
    if wanted[0] > wanted[1]:
        return None
    fitting = (a for a in (second, first) if _interval(a, output) == wanted)
    return next(fitting, None)


def _interval(activation: Activation, output: Tensor) -> tuple[float, float]:
    return activation.value if output.dtype is DType.FLOAT32 else clamp_range(activation, output)
