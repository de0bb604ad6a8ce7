"""Arithmetic, remainders, extremes and comparisons of plain integers of every width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

from kernels.harness import Case, check
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.graph.op import Op
from smidgen.ops.elementwise.arithmetic import Div, Mul, Sub
from smidgen.ops.elementwise.comparison import Compare, Relation
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.modulo import FloorMod
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.registry import kernels

WIDE = (DType.UINT32, DType.INT64, DType.UINT64)
NARROW = (DType.UINT8, DType.UINT16, DType.INT16)
TRUTHS: Mapping[type[Op], Callable[[int, int], int]] = {
    Add: lambda a, b: a + b,
    Sub: lambda a, b: a - b,
    Mul: lambda a, b: a * b,
    Div: lambda a, b: 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    FloorMod: lambda a, b: 0 if b == 0 else a % b,
    Minimum: min,
    Maximum: max,
}
"""What Python's own integers say, before they wrap."""


def graph_of(op: Op, dtype: DType, count: int) -> Graph:
    builder = GraphBuilder("integers")
    names = [builder.input(name, dtype, (count,)) for name in "ab"]
    return builder.finish(builder.add(op, names))


def operands(dtype: DType) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of edge values, and random ones."""
    low, high = dtype.range
    rng = np.random.default_rng(0)
    edges = [low, low + 1, high // 2, high - 1, high, 0, 1, 2, 7, *([-1, -7] if low else [])]
    pairs = [(a, b) for a in edges for b in edges]
    pairs += [tuple(rng.integers(low, high, 2, dtype.numpy, endpoint=True)) for _ in range(40)]
    return tuple(np.array(side, dtype.numpy) for side in zip(*pairs, strict=True))


def cases() -> Iterator[tuple[Op, DType]]:
    for kind in TRUTHS:
        modulo = (DType.INT32,) if kind is FloorMod else ()
        narrow = NARROW if kind in (Minimum, Maximum) else ()
        yield from ((kind(), dtype) for dtype in (*WIDE, *modulo, *narrow))


@pytest.mark.parametrize(
    ("op", "dtype"),
    list(cases()),
    ids=lambda it: getattr(it, "kind", getattr(it, "label", "")),
)
def test_the_reference_wraps_what_integers_give(op: Op, dtype: DType) -> None:
    a, b = operands(dtype)
    (found,) = Reference(graph_of(op, dtype, len(a))).run([a, b])
    width = 1 << dtype.value.bits
    for x, y, result in zip(a.tolist(), b.tolist(), found.tolist(), strict=True):
        assert (TRUTHS[type(op)](x, y) - result) % width == 0, (x, y, result)


@pytest.mark.parametrize("board", ["", "raspberry-pi-pico"])
def test_c_equals_the_reference(board: str) -> None:
    every = [*cases(), *((Compare(r), d) for r in Relation for d in (*WIDE, DType.UINT16))]
    made = []
    for op, dtype in every:
        inputs = operands(dtype)
        graph = graph_of(op, dtype, len(inputs[0]))
        (node,) = graph.nodes
        serving = [k for k in kernels()[type(op)] if k.accepts(op, graph.signature(node))]
        made += [Case(graph, kernel, inputs) for kernel in serving if not kernel.requires]
    assert len(made) == len(every)
    check(made, board)
