"""The kernels for Advanced SIMD (NEON) against NumPy, on emulated Cortex-A72 and A76."""

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
from kernels.matrix_cases import (
    Layer,
    cases_for,
    conv_layers,
    dense_layers,
    graph_of,
    one_pixel_layers,
)
from kernels.qemu_harness import check_on_qemu
from smidgen.compiler.sharing import Style
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.ops.conv.kernels.conv2d_s8_neon import (
    Conv2DInt8Dotprod,
    Conv2DInt8Neon,
    Conv2DVectorInt8Dotprod,
    Conv2DVectorInt8Neon,
    SingleChannelInt8Dotprod,
    SingleChannelInt8Neon,
)
from smidgen.ops.conv.kernels.depthwise_s8_neon import DepthwiseConv2DInt8Neon
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.kernels.dense_s8_neon import (
    DenseRowsInt8Dotprod,
    DenseRowsInt8Neon,
    DenseVectorInt8Dotprod,
    DenseVectorInt8Neon,
)
from smidgen.ops.elementwise.kernels.add_s8_plane_neon import AddInt8PlaneNeon
from smidgen.ops.kernel import Kernel
from smidgen.ops.pool.kernels.pool2d_s8_neon import AveragePoolInt8Neon, MaxPoolInt8Neon
from smidgen.ops.pool.ops import AveragePool2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import core
from support.qemu import needs_qemu_user

pytestmark = needs_qemu_user

SAME = Padding(1, 1, 1, 1)
# Saturating multipliers, left shifts among them, and shifts so long that all becomes zero.
MORE_FACTORS = ((0.6, 30.0), (1e-9, 1e-7))
NEON, DOTPROD = ("cortex-a72", "raspberry-pi-4"), ("cortex-a76", "raspberry-pi-5")


def layers(kind: st.SearchStrategy[Layer]) -> st.SearchStrategy[list[Layer]]:
    """Many of a kind; the weights of some are -128, which trained ones seldom are."""
    factors = st.sampled_from((None, None, None, *MORE_FACTORS))
    magnitudes = st.sampled_from((None, None, None, 128))
    wider = st.builds(
        lambda layer, some, most: replace(
            layer, factors=some or layer.factors, magnitude=most or layer.magnitude
        ),
        kind,
        factors,
        magnitudes,
    )
    return st.lists(wider, min_size=60, max_size=80)


def check(cases: list[Case], place: tuple[str, str], style: Style = Style.SHARED) -> None:
    check_on_qemu(cases, place[1], style=style)


@pytest.mark.parametrize(
    ("kernel", "place"), [(Conv2DInt8Neon(), NEON), (Conv2DInt8Dotprod(), DOTPROD)]
)
@settings(few_batches, max_examples=4)
@given(drawn=layers(conv_layers(40)))
def test_convolutions_are_exact(kernel: Kernel, place: tuple[str, str], drawn: list[Layer]) -> None:
    cases = cases_for(kernel, drawn, place[0])
    assert len(cases) == len(drawn)
    check(cases, place)


@pytest.mark.parametrize(
    ("kernel", "place"), [(Conv2DVectorInt8Neon(), NEON), (Conv2DVectorInt8Dotprod(), DOTPROD)]
)
@settings(few_batches, max_examples=2)
@given(drawn=layers(one_pixel_layers()))
def test_convolutions_to_one_pixel_are_exact(
    kernel: Kernel, place: tuple[str, str], drawn: list[Layer]
) -> None:
    cases = cases_for(kernel, drawn, place[0])
    assert len(cases) > len(drawn) // 2
    check(cases, place)


@pytest.mark.parametrize(
    ("kernels", "place"),
    [
        ((DenseRowsInt8Neon(), DenseVectorInt8Neon()), NEON),
        ((DenseRowsInt8Dotprod(), DenseVectorInt8Dotprod()), DOTPROD),
    ],
)
@settings(few_batches, max_examples=3)
@given(drawn=layers(dense_layers()))
def test_fully_connected_layers_are_exact(
    kernels: tuple[Kernel, Kernel], place: tuple[str, str], drawn: list[Layer]
) -> None:
    rows, vectors = (cases_for(kernel, drawn, place[0]) for kernel in kernels)
    assert len(rows) == len(drawn)
    assert len(vectors) > len(drawn) // 4
    check([*rows, *vectors], place)


@pytest.mark.parametrize(
    ("kernel", "place"), [(Conv2DInt8Neon(), NEON), (Conv2DInt8Dotprod(), DOTPROD)]
)
def test_no_sum_of_extremes_overflows(kernel: Kernel, place: tuple[str, str]) -> None:
    """Every product is of the ends of the range, -128 by -128 among them, over any depth."""
    shapes = [((1, 1), depth) for depth in (1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 576)]
    cases = []
    for window, depth in [*shapes, ((3, 3), 64)]:
        factor = 100 / (128 * 128 * depth * window[0] * window[1])
        for lowest in (-128, -127):
            layer = Layer(
                Conv2D(), (1, *(3 * w for w in window), depth), (6, *window, depth),
                (0, 0), (factor, factor), 127, "low", None, 1,
            )  # fmt: skip
            graph = with_weights(graph_of(layer), lowest)
            for value in (-128, 127):
                x = np.full(layer.x_shape, value, np.int8)
                cases.append(Case(graph, kernel, (x,), note=f"{lowest} by {value}, {depth} deep"))
    check(cases, place)


def with_weights(graph: Graph, value: int) -> Graph:
    """The same with one value for all weights."""
    tensors = dict(graph.tensors)
    filled = np.full_like(tensors["w"].values, value)
    tensors["w"] = replace(tensors["w"], data=filled)
    return replace(graph, tensors=tensors)


def cases_of(kernel: Kernel, graphs: list[Graph], core_name: str, seed: int = 0) -> list[Case]:
    """Those that the kernel takes, some with the output as far over the input as may be."""
    rng = np.random.default_rng(seed)
    cases = []
    for index, graph in enumerate(graphs):
        node = graph.nodes[0]
        signature = graph.signature(node)
        if not kernel.accepts(node.op, signature):
            continue
        overlaps = kernel.lower(node.op, signature, core(core_name)).overlaps
        apart = signature.input(0).nbytes + signature.output.nbytes
        distance = max(-apart, min(apart, overlaps[0].ahead or 0)) if index % 2 else None
        x = int8(rng, signature.input(0).shape, bool(rng.integers(2)))
        cases.append(Case(graph, kernel, (x,), distance, f"{node.op} {signature.input(0).shape}"))
    return cases


def single_channel(rng: np.random.Generator) -> Graph:
    """One channel with a multiplier."""
    window = (int(rng.integers(1, 6)), int(rng.integers(1, 6)))
    op = DepthwiseConv2D((2, 1), SAME, (1, 1), rng.choice([*Activation]))
    size = (window[0] + int(rng.integers(5)), window[1] + int(rng.integers(5)), 1)
    return depthwise_graph(op, size, window, int(rng.integers(1, 10)), rng)


@pytest.mark.parametrize(
    ("kernel", "place"),
    [(SingleChannelInt8Neon(), NEON), (SingleChannelInt8Dotprod(), DOTPROD)],
)
def test_depthwise_convolutions_of_one_channel_are_exact(
    kernel: Kernel, place: tuple[str, str]
) -> None:
    cases = cases_of(kernel, batch(single_channel, 40, 1), place[0])
    assert len(cases) == 40
    check(cases, place)


@few_batches
@given(seeds)
def test_depthwise_convolutions_are_exact(seed: int) -> None:
    cases = cases_of(DepthwiseConv2DInt8Neon(), batch(random_depthwise, 90, seed), NEON[0], seed)
    assert len(cases) > 30
    check(cases, NEON)


def wide_depthwise(rng: np.random.Generator) -> Graph:
    """3 x 3 windows, which have code of their own, and others, over many channels."""
    stride = int(rng.integers(1, 3))
    window = (3, 3) if rng.integers(3) else (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    op = DepthwiseConv2D((stride, stride), SAME, (1, 1), rng.choice([*Activation]))
    channels = int(rng.choice([5, 9, 13, 16, 24, 29, 32, 40, 47, 48]))
    return depthwise_graph(
        op,
        (window[0] + int(rng.integers(6)), window[1] + int(rng.integers(6)), channels),
        window,
        1,
        rng,
        zero_points=(int(rng.integers(-128, 128)), int(rng.choice([-128, 0, 9]))),
        factors=((0.001, 0.01), (0.1, 3.0))[int(rng.integers(2))],
        extreme=bool(rng.integers(2)),
    )


@few_batches
@given(seeds)
def test_wide_depthwise_convolutions_are_exact(seed: int) -> None:
    graphs = batch(wide_depthwise, 60, seed)
    # Weights of -128 take the other way through the kernel.
    graphs = [without_lowest(graph) if k % 2 else graph for k, graph in enumerate(graphs)]
    for place in (NEON, DOTPROD):
        cases = cases_of(DepthwiseConv2DInt8Neon(), graphs, place[0], seed)
        assert len(cases) == len(graphs)
        check(cases, place)


def without_lowest(graph: Graph) -> Graph:
    """Weights of -127 for -128, as the quantisation specification has them."""
    tensors = dict(graph.tensors)
    tensors["w"] = replace(tensors["w"], data=np.maximum(tensors["w"].values, -127))
    return replace(graph, tensors=tensors)


def test_no_sum_of_extremes_overflows_in_a_depthwise_convolution() -> None:
    """Weights and values at the ends of the range in any mixture of two."""
    cases = []
    for channels in (1, 8, 16, 21):
        for lowest in (-128, -127):
            for value in (-128, 127):
                op = DepthwiseConv2D((1, 1), SAME, (1, 1))
                graph = depthwise_graph(
                    op, (4, 4, channels), (3, 3), 1, np.random.default_rng(0),
                    zero_points=(0, 0), factors=(7e-4, 7.1e-4),
                )  # fmt: skip
                x = np.full((1, 4, 4, channels), value, np.int8)
                graph = with_weights(graph, lowest)
                cases.append(Case(graph, DepthwiseConv2DInt8Neon(), (x,), note=f"{lowest} {value}"))
    check(cases, NEON)


@few_batches
@given(seeds)
def test_poolings_are_exact(seed: int) -> None:
    graphs = batch(random_pool, 80, seed)
    cases = [
        case
        for kernel in (AveragePoolInt8Neon(), MaxPoolInt8Neon())
        for case in cases_of(kernel, of_kind(kernel, graphs), NEON[0], seed)
    ]
    assert len(cases) > len(graphs) // 2
    check(cases, NEON)


def of_kind(kernel: Kernel, graphs: list[Graph]) -> list[Graph]:
    """Those whose op the kernel is for."""
    return [graph for graph in graphs if isinstance(graph.nodes[0].op, kernel.op)]


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
    extremes = np.full_like(values, -128)
    extremes[:, :, :, 1::2] = 127
    for each in (values, extremes):
        check([Case(graph, AveragePoolInt8Neon(), (each.astype(np.int8),))], NEON)


@few_batches
@given(seeds)
def test_sums_are_exact(seed: int) -> None:
    """Apart, and with the output over the larger operand or a little before it."""
    rng = np.random.default_rng(seed)
    kernel, cases = AddInt8PlaneNeon(), []
    for graph in batch(random_add, 60, seed):
        node = graph.nodes[0]
        signature = graph.signature(node)
        if not kernel.accepts(node.op, signature):
            continue
        values = tuple(
            int8(rng, graph.tensors[name].shape, bool(rng.integers(2))) for name in graph.inputs
        )
        overlaps = kernel.lower(node.op, signature, core(NEON[0])).overlaps
        distances = (None, 0, -3) if any(each.input == 0 for each in overlaps) else (None,)
        cases += [Case(graph, kernel, values, each, repr(node)) for each in distances]
    assert len(cases) > 60
    check(cases, NEON)


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(
    ("kernel", "place"), [(Conv2DInt8Neon(), NEON), (Conv2DInt8Dotprod(), DOTPROD)]
)
def test_kernels_are_exact_however_they_are_shared(
    kernel: Kernel, place: tuple[str, str], style: Style
) -> None:
    numbers = {"factors": (0.002, 0.01), "magnitude": 127, "inputs": "random", "seed": 7}
    relu = Conv2D((1, 1), SAME, (1, 1), Activation.RELU)
    drawn = [
        Layer(op, (1, 5, 4, 20), (9, *window, 20), zero_points, overlap=0, **numbers)
        for op, window in ((Conv2D(), (1, 1)), (relu, (3, 3)))
        for zero_points in ((-128, -128), (3, -5))
    ]
    check(cases_for(kernel, drawn, place[0]), place, style)
