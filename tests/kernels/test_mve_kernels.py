"""The kernels for MVE (Helium) against NumPy, on an emulated Cortex-M55."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.cases import (
    batch,
    depthwise_graph,
    few_batches,
    int8,
    quant,
    random_add,
    random_depthwise,
    random_pool,
    seeds,
)
from kernels.harness import Case
from kernels.matrix_cases import Layer, cases_for, conv_layers, dense_layers
from kernels.qemu_harness import check_on_qemu
from smidgen.compiler.sharing import Style
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.conv.kernels.conv2d_s8_mve import Conv2DInt8Mve, SingleChannelInt8Mve
from smidgen.ops.conv.kernels.depthwise_s8_mve import DepthwiseConv2DInt8Mve
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.kernels.dense_s8_mve import DenseRowsInt8Mve, DenseVectorInt8Mve
from smidgen.ops.elementwise.kernels.add_s8_mve import AddInt8Mve
from smidgen.ops.kernel import Kernel
from smidgen.ops.pool.kernels.pool2d_s8_mve import AveragePoolInt8Mve, MaxPoolInt8Mve
from smidgen.ops.pool.ops import AveragePool2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import core
from support.qemu import needs_qemu

pytestmark = needs_qemu

CORE = "cortex-m55"
SAME = Padding(1, 1, 1, 1)
# Saturating multipliers, left shifts among them, and shifts so long that all becomes zero.
MORE_FACTORS = ((0.6, 30.0), (1e-9, 1e-7))


def layers(kind: st.SearchStrategy[Layer]) -> st.SearchStrategy[list[Layer]]:
    factors = st.sampled_from((None, None, None, *MORE_FACTORS))
    wider = st.builds(lambda a, f: replace(a, factors=f) if f else a, kind, factors)
    return st.lists(wider, min_size=40, max_size=60)


@settings(few_batches, max_examples=4)
@given(layers(conv_layers()))
def test_convolutions_are_exact(drawn: list[Layer]) -> None:
    cases = cases_for(Conv2DInt8Mve(), drawn, CORE)
    assert len(cases) == len(drawn)
    check_on_qemu(cases)


@settings(few_batches, max_examples=2)
@given(layers(dense_layers()))
def test_fully_connected_layers_are_exact(drawn: list[Layer]) -> None:
    rows = cases_for(DenseRowsInt8Mve(), drawn, CORE)
    assert len(rows) == len(drawn)
    vectors = cases_for(DenseVectorInt8Mve(), drawn, CORE)
    assert len(vectors) > len(drawn) // 4
    check_on_qemu([*rows, *vectors])


def cases_of(kernel: Kernel, graphs: list[Graph], seed: int = 0) -> list[Case]:
    """Those that the kernel takes, some with the output as far over the input as may be."""
    rng = np.random.default_rng(seed)
    cases = []
    for index, graph in enumerate(graphs):
        node = graph.nodes[0]
        signature = graph.signature(node)
        if not kernel.accepts(node.op, signature):
            continue
        overlaps = kernel.lower(node.op, signature, core(CORE)).overlaps
        apart = signature.input(0).nbytes + signature.output.nbytes
        distance = max(-apart, min(apart, overlaps[0].ahead)) if index % 2 else None
        x = int8(rng, signature.input(0).shape, bool(rng.integers(2)))
        cases.append(Case(graph, kernel, (x,), distance, f"{node.op} {signature.input(0).shape}"))
    return cases


@few_batches
@given(seeds)
def test_depthwise_convolutions_are_exact(seed: int) -> None:
    graphs = [without_lowest(graph) for graph in batch(random_depthwise, 90, seed)]
    cases = cases_of(DepthwiseConv2DInt8Mve(), graphs, seed)
    assert len(cases) > 30
    check_on_qemu(cases)


def wide_depthwise(rng: np.random.Generator) -> Graph:
    """3 x 3 over channels in sixteens, the shape that has code of its own."""
    stride = int(rng.integers(1, 3))
    op = DepthwiseConv2D((stride, stride), SAME, (1, 1), rng.choice([*Activation]))
    return depthwise_graph(
        op,
        (int(rng.integers(1, 9)), int(rng.integers(1, 9)), int(rng.choice([16, 32, 48]))),
        (3, 3),
        1,
        rng,
        zero_points=(int(rng.integers(-128, 128)), int(rng.choice([-128, 0, 9]))),
        factors=((0.001, 0.01), (0.1, 3.0))[int(rng.integers(2))],
    )


@few_batches
@given(seeds)
def test_wide_depthwise_convolutions_are_exact(seed: int) -> None:
    graphs = [without_lowest(graph) for graph in batch(wide_depthwise, 24, seed)]
    cases = cases_of(DepthwiseConv2DInt8Mve(), graphs, seed)
    assert len(cases) == len(graphs)
    check_on_qemu(cases)


def without_lowest(graph: Graph) -> Graph:
    """Weights of -127 for -128, as the quantisation specification has them."""
    tensors = dict(graph.tensors)
    tensors["w"] = replace(tensors["w"], data=np.maximum(tensors["w"].values, -127))
    return replace(graph, tensors=tensors)


def single_channel(rng: np.random.Generator) -> Graph:
    """One channel with a multiplier."""
    window = (int(rng.integers(1, 6)), int(rng.integers(1, 6)))
    op = DepthwiseConv2D((2, 1), SAME, (1, 1), rng.choice([*Activation]))
    size = (window[0] + int(rng.integers(5)), window[1] + int(rng.integers(5)), 1)
    return depthwise_graph(op, size, window, int(rng.integers(1, 10)), rng)


def test_depthwise_convolutions_of_one_channel_are_exact() -> None:
    cases = cases_of(SingleChannelInt8Mve(), batch(single_channel, 40, 1))
    assert len(cases) == 40
    check_on_qemu(cases)


@few_batches
@given(seeds)
def test_poolings_are_exact(seed: int) -> None:
    graphs = batch(random_pool, 80, seed)
    cases = [
        case
        for kernel in (AveragePoolInt8Mve(), MaxPoolInt8Mve())
        for case in cases_of(
            kernel, [graph for graph in graphs if isinstance(graph.nodes[0].op, kernel.op)], seed
        )
    ]
    assert len(cases) > len(graphs) // 2
    check_on_qemu(cases)


@few_batches
@given(seeds)
def test_sums_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases = []
    for graph in batch(random_add, 60, seed):
        node = graph.nodes[0]
        if AddInt8Mve().accepts(node.op, graph.signature(node)):
            values = tuple(int8(rng, graph.tensors[name].shape) for name in graph.inputs)
            cases.append(Case(graph, AddInt8Mve(), values, note=repr(node)))
    assert len(cases) > 30
    check_on_qemu(cases)


@pytest.mark.parametrize("window", [(1, 2), (2, 2), (3, 5), (15, 17)])
def test_every_mean_is_rounded_as_the_reference_does(window: tuple[int, int]) -> None:
    """Windows of 2, 4, 15 and 255 elements whose sums walk through ties and ends."""
    rng = np.random.default_rng(3)
    build = GraphBuilder("single")
    columns = 40
    x = build.input("x", DType.INT8, (1, window[0], window[1] * columns, 20), quant(0.1, 3))
    graph = build.finish(build.add(AveragePool2D(window, window), (x,), quant(0.1, 3)))
    ends = np.repeat(rng.integers(-128, 128, (1, 1, columns, 20)), window[1], axis=2)
    values = np.clip(ends + rng.integers(-1, 2, graph.tensors["x"].shape), -128, 127)
    check_on_qemu([Case(graph, AveragePoolInt8Mve(), (values.astype(np.int8),))])


@pytest.mark.parametrize("style", Style)
def test_kernels_are_exact_however_they_are_shared(style: Style) -> None:
    numbers = {"factors": (0.002, 0.01), "magnitude": 127, "inputs": "random", "seed": 7}
    relu = Conv2D((1, 1), SAME, (1, 1), Activation.RELU)
    drawn = [
        Layer(op, (1, 5, 4, 20), (9, *window, 20), zero_points, overlap=0, **numbers)
        for op, window in ((Conv2D(), (1, 1)), (relu, (3, 3)))
        for zero_points in ((-128, -128), (3, -5))
    ]
    check_on_qemu(cases_for(Conv2DInt8Mve(), drawn, CORE), style=style)
