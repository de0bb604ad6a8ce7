"""The order of nodes."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import quant, random_network

from smidgen.compiler.schedule import _Work, order_for_memory
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.check import check
from smidgen.graph.graph import Graph
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import MaxPool2D
from smidgen.ops.shape.padding import Pad


def branches(sizes: list[int], seed: int) -> Graph:
    """Pads and pools that blow tensors up and shrink them, joined by additions, in random order."""
    rng = np.random.default_rng(seed)
    builder = GraphBuilder("branches")
    open_ends = [builder.input("x", DType.INT8, (1, 4, 4, 2), quant(0.1))]
    for size in sizes:
        source = open_ends[rng.integers(len(open_ends))]
        grow = Pad((0, 0, 0, 0), (0, size, size, 0))
        (big,) = builder.add(grow, [source], quant(0.1))
        shape = builder.tensor(big).shape
        (small,) = builder.add(MaxPool2D(shape[1:3], (1, 1)), [big], quant(0.1))
        open_ends.append(small)
    total = open_ends[1]
    for name in open_ends[2:]:
        (total,) = builder.add(Add(), [total, name], quant(0.1))
    return builder.finish([total])


def least_peak(graph: Graph) -> int:
    """The least peak over all orders that are legal."""
    work, best = _Work.of(graph), None
    for order in permutations(range(len(graph.nodes))):
        place = {index: at for at, index in enumerate(order)}
        names = {n: i for i, node in enumerate(graph.nodes) for n in node.outputs}
        legal = all(
            place[names[name]] < place[index]
            for index, node in enumerate(graph.nodes)
            for name in node.inputs
            if name in names
        )
        if legal:
            peak = work.peak(order)
            best = peak if best is None else min(best, peak)
    assert best is not None
    return best


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=2), st.integers(0, 99))
def test_small_graphs_get_a_best_order(sizes, seed):
    graph = branches(sizes, seed)
    after = check(order_for_memory(graph), after="test")
    assert sorted(n.name for n in after.nodes) == sorted(n.name for n in graph.nodes)
    assert _Work.of(after).peak(range(len(after.nodes))) == least_peak(graph)


def test_branches_that_were_interleaved_run_one_after_the_other():
    builder = GraphBuilder("wide")
    builder.input("x", DType.INT8, (1, 4, 4, 2), quant(0.1))
    grown = [builder.add(Pad((0, 0, 0, 0), (0, 12, 12, 0)), ["x"], quant(0.1))[0] for _ in range(4)]
    ends = [builder.add(MaxPool2D((16, 16), (1, 1)), [big], quant(0.1))[0] for big in grown]
    total = ends[0]
    for name in ends[1:]:
        (total,) = builder.add(Add(), [total, name], quant(0.1))
    graph = builder.finish([total])
    before = _Work.of(graph).peak(range(len(graph.nodes)))
    after = order_for_memory(graph)
    assert _Work.of(after).peak(range(len(after.nodes))) < before / 3


def test_a_chain_keeps_its_order():
    graph = random_network(1, 0.0)
    if all(len(readers) < 2 for readers in graph.consumers.values()):
        assert order_for_memory(graph) is graph


def test_many_parallel_branches_are_ordered_too():
    graph = branches([5] * 30, 3)
    after = check(order_for_memory(graph), after="test")
    assert len(after.nodes) == len(graph.nodes)
    assert order_for_memory(graph).nodes == after.nodes
