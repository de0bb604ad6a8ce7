"""Every int8 kernel of Add against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from kernels.cases import batch, few_batches, int8, random_add, seeds
from kernels.harness import Case, check
from smidgen.graph.graph import Graph
from smidgen.ops.elementwise.kernels.add_s8 import AddInt8
from smidgen.ops.elementwise.kernels.add_s8_plane import AddInt8Plane
from smidgen.ops.kernel import Kernel
from smidgen.targets.catalogue import board

PLANE, STEPS = AddInt8Plane(), AddInt8()


def cases(kernel: Kernel, graphs: list[Graph]) -> list[Case]:
    """A case for each graph, apart and with the output over the first operand."""
    rng = np.random.default_rng(5)
    made = []
    for graph in graphs:
        node = graph.nodes[0]
        signature = graph.signature(node)
        if not kernel.accepts(node.op, signature):
            continue
        extreme = bool(rng.integers(2))
        inputs = tuple(int8(rng, signature.input(k).shape, extreme) for k in range(2))
        made.append(Case(graph, kernel, inputs, note=str(node.op)))
        overlaps = kernel.lower(node.op, signature, board("nucleo-l4r5zi").core).overlaps
        if any(overlap.input == 0 for overlap in overlaps):
            made.append(Case(graph, kernel, inputs, 0, f"in place: {node.op}"))
            made.append(Case(graph, kernel, inputs, -3, f"before: {node.op}"))
    return made


@few_batches
@given(seeds)
def test_portable_kernels_are_exact_and_defined(seed: int) -> None:
    graphs = batch(random_add, 40, seed)
    check(cases(PLANE, graphs) + cases(STEPS, graphs))


@pytest.mark.parametrize("target", ["nucleo-l4r5zi", "nucleo-g071rb", "esp32-c3"])
def test_plane_is_exact_on_every_core(target: str) -> None:
    check(cases(PLANE, batch(random_add, 40, 3)), target)


def test_plane_serves_nearly_every_sum() -> None:
    """A plane was found for each of hundreds of random layers; one that has none runs in steps."""
    graphs = batch(random_add, 60, 11)
    served = sum(PLANE.accepts(g.nodes[0].op, g.signature(g.nodes[0])) for g in graphs)
    assert served >= 57
