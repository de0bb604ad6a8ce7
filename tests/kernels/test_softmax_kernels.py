"""The int8 softmax kernel against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from kernels.cases import batch, few_batches, int8, pick, quant, random_softmax, seeds
from kernels.harness import Case, check
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.activation.kernels.softmax_s8 import SoftmaxInt8, SoftmaxTableInt8
from smidgen.ops.activation.ops import Softmax

KERNELS = (SoftmaxInt8(), SoftmaxTableInt8())


def cases(graphs: list[Graph]) -> list[Case]:
    """Random, extreme and constant inputs; the output apart, over the input, and before it."""
    rng = np.random.default_rng(4)
    made = []
    for graph in graphs:
        shape = graph.tensors["x"].shape
        x = pick(rng, [int8(rng, shape), int8(rng, shape, True), np.full(shape, 5, np.int8)])
        node = graph.nodes[0]
        made += [
            Case(graph, kernel, (x,), distance)
            for kernel in KERNELS
            for distance in (None, 0, -5)
            if kernel.accepts(node.op, graph.signature(node))
        ]
    assert {case.kernel for case in made} == set(KERNELS)
    return made


@few_batches
@given(seeds)
def test_kernel_is_exact_and_defined(seed: int) -> None:
    check(cases(batch(random_softmax, 30, seed)))


@pytest.mark.parametrize("target", ["nucleo-l4r5zi", "nucleo-g071rb", "esp32-c3"])
def test_kernel_is_exact_on_every_core(target: str) -> None:
    check(cases(batch(random_softmax, 12, 1)), target)


def test_a_thousand_classes_are_quick() -> None:
    build = GraphBuilder("classes")
    x = build.input("x", DType.INT8, (1, 1000), quant(0.1, 3))
    graph = build.finish(build.add(Softmax(1.0), (x,), quant(1 / 256, -128)))
    values = int8(np.random.default_rng(1), (1, 1000))
    counts = check([Case(graph, kernel, (values,)) for kernel in KERNELS], "nucleo-l4r5zi")
    assert counts[1] < 60_000 < counts[0]
