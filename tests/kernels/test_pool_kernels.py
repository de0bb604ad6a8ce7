"""Every int8 pooling kernel against the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given

from kernels.cases import batch, few_batches, int8, random_pool, seeds
from kernels.harness import Case, check
from smidgen.graph.graph import Graph
from smidgen.ops.kernel import Kernel
from smidgen.ops.pool.kernels.pool2d_s8 import (
    AveragePoolInt8,
    AveragePoolInt8Dsp,
    MaxPoolInt8,
    MaxPoolInt8Dsp,
)
from smidgen.targets.catalogue import board

PORTABLE = (AveragePoolInt8(), MaxPoolInt8())
DSP = (AveragePoolInt8Dsp(), MaxPoolInt8Dsp())


def cases(kernels: Sequence[Kernel], graphs: Sequence[Graph]) -> list[Case]:
    """A case for each graph and kernel that fit, apart and as far over the input as it may be."""
    rng = np.random.default_rng(2)
    made = []
    for graph in graphs:
        node = graph.nodes[0]
        signature = graph.signature(node)
        x = int8(rng, signature.input(0).shape, bool(rng.integers(2)))
        note = f"{node.op} on {signature.input(0).shape}"
        for kernel in kernels:
            if kernel.op is type(node.op) and kernel.accepts(node.op, signature):
                made.append(Case(graph, kernel, (x,), note=note))
                call = kernel.lower(node.op, signature, board("nucleo-l4r5zi").core)
                ahead = call.overlaps[0].ahead
                if ahead is not None and -signature.output.nbytes < ahead:
                    distance = min(ahead, x.size)
                    made.append(Case(graph, kernel, (x,), distance, f"{distance} over: {note}"))
    return made


@few_batches
@given(seeds)
def test_dsp_kernels_are_exact(seed: int) -> None:
    check(cases(DSP, batch(random_pool, 60, seed)), "nucleo-l4r5zi")


@few_batches
@given(seeds)
def test_portable_kernels_are_exact_and_defined(seed: int) -> None:
    check(cases(PORTABLE, batch(random_pool, 60, seed)))


@pytest.mark.parametrize("target", ["nucleo-g071rb", "esp32-c3"])
def test_portable_kernels_are_exact_on_small_cores(target: str) -> None:
    check(cases(PORTABLE, batch(random_pool, 30, 3)), target)
