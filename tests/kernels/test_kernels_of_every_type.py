"""The kernels that serve every integer type: overlapping buffers, guards, and real cores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels.harness import Case, check
from smidgen.graph.op import Signature
from smidgen.ops.kernel import Kernel
from smidgen.ops.registry import kernels
from smidgen.targets.catalogue import core
from support.layers import (
    KINDS,
    activations,
    conv_model,
    dense_model,
    matmul_model,
    pool_model,
    random_geometry,
    transpose_conv_model,
)
from support.threeway import Model, graph_of

INTEGER_KINDS = [name for name in KINDS if name != "f32"]


def models(rng: np.random.Generator) -> Iterator[tuple[str, str, bytes]]:
    """(kernel, input type, file) of layers of batch 1, every integer type."""
    for name in INTEGER_KINDS:
        kind = KINDS[name]
        for _ in range(3):
            spec = random_geometry(rng, shape=(1, 7, 6, 4))
            yield "conv2d_q", kind.activations, conv_model(rng, kind, spec, False)
            yield "depthwise_q", kind.activations, conv_model(rng, kind, spec, True)
            plain = random_geometry(rng, shape=(1, 4, 5, 3), dilation=(1, 1))
            data = transpose_conv_model(rng, kind, plain)
            yield "transpose_conv_q", kind.activations, data
        yield "dense_q", kind.activations, dense_model(rng, kind, (3, 8), 5)
    for dtype in ("int8", "int16"):
        for name, operator in (
            ("average_pool2d_any", "AVERAGE_POOL_2D"),
            ("max_pool2d_any", "MAX_POOL_2D"),
        ):
            spec = random_geometry(rng, shape=(1, 7, 6, 3), outputs=3, dilation=(1, 1))
            yield name, dtype, pool_model(rng, dtype, spec, operator)
        yield "matmul_q", dtype, matmul_model(rng, dtype, ((2, 3, 4), (2, 4, 5)))


def kernel_named(name: str, op_type: type) -> Kernel:
    return next(kernel for kernel in kernels()[op_type] if kernel.name == name)


def cases(seed: int) -> Iterator[Case]:
    """Each layer apart from its input, and as far over it as its kernel allows."""
    rng = np.random.default_rng(seed)
    for name, dtype, data in models(rng):
        graph = graph_of(Model(name, data, []))
        node = graph.nodes[0]
        kernel = kernel_named(name, type(node.op))
        inputs = tuple(
            activations(rng, dtype, graph.tensors[tensor].shape) for tensor in graph.inputs
        )
        yield Case(graph, kernel, inputs, None, f"{name} {node.op}")
        for distance in _distances(kernel, graph.signature(node), node.op):
            yield Case(graph, kernel, inputs, distance, f"{name} {node.op} over {distance}")


def _distances(kernel: Kernel, signature: Signature, op: object) -> Iterator[int]:
    call = kernel.lower(op, signature, core("cortex-m4f"))
    for overlap in call.overlaps:
        if overlap.ahead is not None:
            yield overlap.ahead


def test_on_this_computer() -> None:
    check(list(cases(1)))


@pytest.mark.parametrize("board", ["nucleo-l073rz", "nucleo-l4r5zi"])
def test_on_a_core(board: str) -> None:
    check([case for case in cases(2) if case.distance is None], board)
