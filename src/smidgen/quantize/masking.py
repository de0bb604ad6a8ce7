"""What a softmax reads: scores far below the largest of their row weigh nothing.

Attention masks push scores down by -1e4, the least float or infinity. A scale that reached so far
would have no step left for the others, so such scores saturate a little below the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.graph.graph import Graph, Node
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.index.ops import Select
from smidgen.ops.shape.ops import Reshape

DEPTH = 12.0
"""How far below the largest a score still counts: e**-12 is a 600th of a softmax's int8 step."""
_FARTHEST = 1e4
"""What masks beyond it are taken for."""


def score_names(graph: Graph) -> frozenset[str]:
    """The activations that nothing but softmaxes reads, row by row."""
    found: set[str] = set()
    for node in reversed(graph.nodes):
        for name in node.outputs:
            readers = graph.consumers[name]
            if (
                readers
                and name not in graph.outputs
                and all(
                    isinstance(reader.op, Softmax) or _passes_rows(graph, reader, found)
                    for reader in readers
                )
            ):
                found.add(name)
    return frozenset(found)


def _passes_rows(graph: Graph, node: Node, scores: set[str]) -> bool:
    """Whether `node` gives scores another shape, and leaves their rows as they are."""
    if not isinstance(node.op, Reshape) or node.outputs[0] not in scores:
        return False
    return graph.tensors[node.inputs[0]].shape[-1:] == graph.tensors[node.outputs[0]].shape[-1:]


def without_depth(scores: Array) -> Array:
    """`scores` with none further than `DEPTH` below the largest of its row."""
    if not scores.ndim:
        return scores
    top = scores.max(axis=-1, keepdims=True)
    floor = np.where(np.isfinite(top), top, 0.0) - DEPTH
    return np.asarray(np.maximum(scores, floor.astype(scores.dtype)))


def masks(graph: Graph, scores: frozenset[str]) -> Iterator[str]:
    """Constants that a Select puts in the place of scores: they may saturate."""
    for node in graph.nodes:
        if isinstance(node.op, Select) and node.outputs[0] in scores:
            for name in node.inputs[1:]:
                if graph.tensors[name].is_constant:
                    yield name


def with_finite_masks(graph: Graph) -> Graph:
    """`graph` with infinite masks of scores as far below them as a scale reaches."""
    scores, changed = score_names(graph), []
    for node in graph.nodes:
        if isinstance(node.op, (Add, Select)) and node.outputs[0] in scores:
            for tensor in (graph.tensors[name] for name in node.inputs):
                if tensor.is_constant and np.any(np.abs(tensor.values) > _FARTHEST):
                    values = np.clip(tensor.values, -_FARTHEST, _FARTHEST)
                    changed.append(replace(tensor, data=values))
    return graph.with_nodes(graph.nodes, changed) if changed else graph
