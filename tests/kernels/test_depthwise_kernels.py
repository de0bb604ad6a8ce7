"""Every depthwise kernel against the reference, on the cores that it is for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given

from kernels.cases import (
    FACTORS,
    batch,
    depthwise_graph,
    few_batches,
    int8,
    pick,
    random_depthwise,
    seeds,
    zero_point,
)
from kernels.harness import Case, check
from smidgen.compiler.sharing import Style
from smidgen.graph.graph import Graph
from smidgen.graph.op import Op, Signature
from smidgen.ops.conv.kernels import depthwise_s8_dsp
from smidgen.ops.conv.kernels.conv2d_s8_trio import SingleChannelInt8Octet, SingleChannelInt8Trio
from smidgen.ops.conv.kernels.depthwise_few_s8_dsp import DepthwiseFewInt8Dsp
from smidgen.ops.conv.kernels.depthwise_s8 import DepthwiseConv2DInt8
from smidgen.ops.conv.kernels.depthwise_s8_dsp import DepthwiseConv2DInt8Dsp
from smidgen.ops.conv.kernels.depthwise_s8_plane import DepthwiseConv2DInt8Plane
from smidgen.ops.conv.ops import DepthwiseConv2D
from smidgen.ops.kernel import Kernel, KernelCall
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import Core, board


class DepthwiseInBands(DepthwiseConv2DInt8Dsp):
    """What the memory plan takes where a whole plane would make the arena larger."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        core = board("nucleo-l4r5zi").core
        return super().accepts(op, signature) and bool(super().lower(op, signature, core).frugal)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        frugal = super().lower(op, signature, core).frugal
        assert frugal is not None
        return frugal


BANDS = DepthwiseInBands()
DSP, PLANE, PLAIN = DepthwiseConv2DInt8Dsp(), DepthwiseConv2DInt8Plane(), DepthwiseConv2DInt8()


def cases(kernel: Kernel, graphs: Sequence[Graph], target: str = "") -> list[Case]:
    """A case for each graph that the kernel accepts; in place too, where it claims that."""
    core = board(target or "nucleo-l4r5zi").core
    rng = np.random.default_rng(1)
    made = []
    for graph in graphs:
        node = graph.nodes[0]
        signature = graph.signature(node)
        if not kernel.accepts(node.op, signature):
            continue
        x = int8(rng, signature.input(0).shape, extreme=bool(rng.integers(2)))
        note = f"{node.op} on {signature.input(0).shape}, weights {signature.input(1).shape}"
        made.append(Case(graph, kernel, (x,), note=note))
        for overlap in kernel.lower(node.op, signature, core).overlaps:
            if overlap.in_place:
                made.append(Case(graph, kernel, (x,), 0, f"in place: {note}"))
            if overlap.ahead is not None and -overlap.ahead < signature.output.nbytes:
                made.append(Case(graph, kernel, (x,), overlap.ahead, f"ahead: {note}"))
    return made


@few_batches
@given(seeds)
def test_dsp_kernel_is_exact(seed: int) -> None:
    graphs = batch(random_depthwise, 60, seed)
    check(cases(DSP, graphs), "nucleo-l4r5zi")


@few_batches
@given(seeds)
def test_dsp_kernel_in_bands_is_exact(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(depthwise_s8_dsp, "LEAST_BAND_BYTES", 0)
        made = cases(BANDS, batch(random_depthwise, 400, seed))
        assert made
        check(made, "nucleo-l4r5zi")


def random_strip(rng: np.random.Generator) -> Graph:
    """A layer with a window along one axis, without padding."""
    taps, stride, dilation = (int(rng.integers(1, most)) for most in (9, 4, 3))
    along, across = (taps - 1) * dilation + 1 + int(rng.integers(5)), int(rng.integers(1, 4))
    upright = bool(rng.integers(2))
    op = DepthwiseConv2D(
        (stride, 1) if upright else (1, stride),
        dilation=(dilation, 1) if upright else (1, dilation),
        activation=pick(rng, list(Activation)),
    )
    size = (along, across) if upright else (across, along)
    window = (taps, 1) if upright else (1, taps)
    return depthwise_graph(
        op,
        (*size, pick(rng, [4, 8, 12])),
        window,
        1,
        rng,
        zero_points=(zero_point(rng), zero_point(rng)),
        factors=pick(rng, FACTORS),
        extreme=bool(rng.integers(2)),
    )


@few_batches
@given(seeds)
def test_dsp_kernel_of_few_outputs_is_exact(seed: int) -> None:
    made = cases(DepthwiseFewInt8Dsp(), batch(random_strip, 60, seed))
    assert len(made) >= 60
    check(made, "nucleo-l4r5zi")


def test_layers_over_one_channel_may_run_as_convolutions() -> None:
    rng = np.random.default_rng(3)
    same = Padding(0, 1, 1, 1)
    relu = DepthwiseConv2D((2, 2), same, (1, 1), Activation.RELU)
    graphs = [
        depthwise_graph(relu, (11, 12, 1), (3, 3), 8, rng, zero_points=(4, -128)),
        depthwise_graph(
            relu, (20, 9, 1), (7, 5), 3, rng, zero_points=(4, -128), factors=(1e-4, 1e-3)
        ),
    ]
    made = cases(BANDS, graphs)
    core = board("nucleo-l4r5zi").core
    calls = [
        BANDS.lower(graph.nodes[0].op, graph.signature(graph.nodes[0]), core) for graph in graphs
    ]
    assert {call.function for call in calls} == {"smg_conv2d_s8_wide_dsp"}
    check(made, "nucleo-l4r5zi")


def test_bands_need_a_third_of_the_scratch_and_little_more_time() -> None:
    graphs = [layer((48, 48, 8), (3, 3), 1), layer((48, 48, 16), (3, 3), 2)]
    quick, bands = (cases(kernel, graphs) for kernel in (DSP, BANDS))
    core = board("nucleo-l4r5zi").core
    for plane, band in zip(quick, bands, strict=True):
        node, signature = plane.graph.nodes[0], plane.graph.signature(plane.graph.nodes[0])
        whole, part = (case.kernel.lower(node.op, signature, core) for case in (plane, band))
        assert part.scratch_bytes < 0.4 * whole.scratch_bytes
    counts = zip(check(quick, "nucleo-l4r5zi"), check(bands, "nucleo-l4r5zi"), strict=True)
    assert all(band < 1.2 * plane for plane, band in counts)


@few_batches
@given(seeds)
def test_portable_kernels_are_exact_and_defined(seed: int) -> None:
    graphs = batch(random_depthwise, 60, seed)
    check(cases(PLANE, graphs) + cases(PLAIN, graphs))


@few_batches
@given(seeds)
def test_kernels_of_one_channel_are_exact(seed: int) -> None:
    graphs = [graph for graph in batch(random_depthwise, 200, seed) if channels(graph) == 1]
    check(cases(SingleChannelInt8Trio(), graphs))
    for target in ("nucleo-f103rb", "nucleo-g071rb"):
        check(cases(SingleChannelInt8Trio(), graphs[:20], target), target)
    check(cases(SingleChannelInt8Octet(), graphs, "esp32-c3"), "esp32-c3")


def channels(graph: Graph) -> int:
    return graph.tensors[graph.inputs[0]].shape[3]


@pytest.mark.parametrize("target", ["nucleo-f103rb", "nucleo-g071rb", "esp32-c3"])
def test_plane_kernel_is_exact_on_every_core(target: str) -> None:
    check(cases(PLANE, batch(random_depthwise, 40, 3), target), target)


def layer(
    x_shape: tuple[int, int, int], window: tuple[int, int], stride: int, multiplier: int = 1
) -> Graph:
    """A layer as networks have them: SAME padding and a plain ReLU."""
    strides = (stride, stride if x_shape[1] > 1 else 1)
    padding = Padding.same(x_shape[:2], window, strides, (1, 1))
    op = DepthwiseConv2D(strides, padding, activation=Activation.RELU)
    rng = np.random.default_rng(7)
    return depthwise_graph(op, x_shape, window, multiplier, rng, zero_points=(-128, -128))


# Instructions per multiply-accumulate on a Cortex-M4 that each layer may take.
LAYERS = {
    "keywords": (layer((25, 5, 64), (3, 3), 1), 2.8),
    "image": (layer((24, 24, 32), (3, 3), 1), 2.6),
    "image, stride 2": (layer((24, 24, 32), (3, 3), 2), 4.5),
    "small image": (layer((6, 6, 128), (3, 3), 1), 3.8),
    "time axis": (layer((59, 1, 96), (9, 1), 1), 3.3),
    "time axis, stride 2": (layer((118, 1, 96), (9, 1), 2), 3.3),
    "first layer of micro speech, in tiles": (layer((49, 40, 1), (10, 8), 2, 8), 1.3),
    "first layer with stride 1, in tiles": (layer((40, 31, 1), (5, 4), 1, 4), 2.5),
}


@pytest.mark.parametrize(("name", "limit"), [("keywords", 5.1), ("image, stride 2", 6.6)])
def test_plane_kernel_keeps_weights_in_registers_on_rv32(name: str, limit: float) -> None:
    graph, _ = LAYERS[name]
    counts = check(cases(PLANE, [graph], "esp32-c3")[:1], "esp32-c3")
    assert counts[0] <= limit * graph.macs


@pytest.mark.parametrize("style", [Style.SHARED, Style.OWN])
def test_dsp_kernel_is_fast(style: Style) -> None:
    graphs = [graph for graph, _ in LAYERS.values()]
    whole = [each for each in cases(DSP, graphs) if each.distance is None]
    counts = check(whole, "nucleo-l4r5zi", style=style)
    for (name, (graph, limit)), count in zip(LAYERS.items(), counts, strict=True):
        assert count <= limit * graph.macs, f"{name}: {count / graph.macs:.2f} per MAC"
