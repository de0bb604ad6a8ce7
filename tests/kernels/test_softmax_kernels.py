"""The int8 softmax kernel against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from kernels.cases import batch, few_batches, int8, pick, random_softmax, seeds
from kernels.harness import Case, check
from smidgen.graph.graph import Graph
from smidgen.ops.activation.kernels.softmax_s8 import SoftmaxInt8

KERNEL = SoftmaxInt8()


def cases(graphs: list[Graph]) -> list[Case]:
    """Random, extreme and constant inputs; the output apart, over the input, and before it."""
    rng = np.random.default_rng(4)
    made = []
    for graph in graphs:
        shape = graph.tensors["x"].shape
        x = pick(rng, [int8(rng, shape), int8(rng, shape, True), np.full(shape, 5, np.int8)])
        made += [Case(graph, KERNEL, (x,), distance) for distance in (None, 0, -5)]
    return made


@few_batches
@given(seeds)
def test_kernel_is_exact_and_defined(seed: int) -> None:
    check(cases(batch(random_softmax, 30, seed)))


@pytest.mark.parametrize("target", ["nucleo-l4r5zi", "nucleo-g071rb", "esp32-c3"])
def test_kernel_is_exact_on_every_core(target: str) -> None:
    check(cases(batch(random_softmax, 12, 1)), target)
