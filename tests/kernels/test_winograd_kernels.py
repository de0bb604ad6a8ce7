"""The Winograd kernel of Conv2D against NumPy on an emulated core, and when it is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernels.harness import check
from kernels.matrix_cases import (
    FACTORS,
    MAGNITUDES,
    ZERO_POINTS,
    Layer,
    cases_for,
    graph_of,
)
from smidgen.compiler.choice import choose_kernel
from smidgen.compiler.objective import OBJECTIVES
from smidgen.compiler.sharing import Style
from smidgen.ops.conv.kernels.conv2d_s8_winograd_dsp import Conv2DInt8WinogradDsp
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import core

BATCHES = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
M4 = "nucleo-l4r5zi"
SAME = Padding(1, 1, 1, 1)
KERNEL = Conv2DInt8WinogradDsp()


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """3 x 3 taps with stride 1: one pixel to several tiles, odd sizes, uneven and wide padding."""
    padding = Padding(*(draw(st.sampled_from((0, 1, 1, 2, 3))) for _ in range(4)))
    rows = draw(st.integers(max(1, 3 - padding.top - padding.bottom), 9))
    cols = draw(st.integers(max(1, 3 - padding.left - padding.right), 11))
    channels = draw(st.sampled_from((4, 8, 12, 16, 20, 32, 36)))
    return Layer(
        Conv2D(padding=padding, activation=draw(st.sampled_from(Activation))),
        (1, rows, cols, channels),
        (draw(st.integers(1, 10)), 3, 3, channels),
        zero_points=(draw(st.sampled_from(ZERO_POINTS)), draw(st.sampled_from(ZERO_POINTS))),
        factors=draw(st.sampled_from((*FACTORS, (1.5, 40.0), (1e-7, 1e-5)))),
        magnitude=draw(st.sampled_from(MAGNITUDES)),
        inputs=draw(st.sampled_from(("random", "extreme", "low", "high"))),
        overlap=draw(st.sampled_from((None, 0, 0, 1, 8))),
        seed=draw(st.integers(0, 1 << 30)),
    )


def layer_of(x, outputs, op=None, *, inputs="random", magnitude=127, zeros=(-128, -128)):
    op = op or Conv2D(padding=SAME, activation=Activation.RELU)
    return Layer(op, (1, *x), (outputs, 3, 3, x[2]), zeros, (0.002, 0.01), magnitude, inputs, 0, 7)


@BATCHES
@given(st.lists(layers(), min_size=30, max_size=50))
def test_every_shape_is_exact(drawn):
    cases = cases_for(KERNEL, drawn)
    assert len(cases) == len(drawn)
    check(cases, M4)


@pytest.mark.parametrize("style", Style)
def test_it_is_exact_however_it_is_shared(style):
    cases = cases_for(KERNEL, [layer_of((5, 7, 8), 6), layer_of((8, 8, 16), 4)])
    check(cases, M4, style=style)


@pytest.mark.parametrize("inputs", ["low", "high", "extreme"])
@pytest.mark.parametrize("zeros", [(127, 3), (-128, 127)])
def test_transforms_at_their_bounds_are_exact(inputs, zeros):
    linear = Conv2D(padding=SAME)
    drawn = [
        replace(layer_of(shape, 5, linear, inputs=inputs, zeros=zeros), seed=seed)
        for shape in ((4, 4, 64), (3, 5, 256))
        for seed in range(6)
    ]
    check(cases_for(KERNEL, drawn), M4)


@pytest.mark.parametrize(
    "op",
    [
        Conv2D(padding=SAME, stride=(2, 1)),
        Conv2D(padding=Padding(2, 2, 2, 2), dilation=(2, 2)),
    ],
)
def test_other_strides_and_dilations_are_refused(op):
    assert not cases_for(KERNEL, [layer_of((8, 8, 16), 16, op)])


@pytest.mark.parametrize(
    ("objective", "kernel"),
    [
        ("size", "conv2d_s8_dsp"),
        ("balanced", "conv2d_s8_dsp"),
        ("speed", "conv2d_s8_winograd_dsp"),
    ],
)
def test_flash_is_spent_under_the_speed_objective_alone(objective, kernel):
    graph = graph_of(layer_of((16, 16, 32), 32, magnitude=20))
    chosen = choose_kernel(graph, graph.nodes[0], core("cortex-m4f"), OBJECTIVES[objective])
    assert chosen.kernel == kernel


def test_instructions_of_a_layer_with_many_channels():
    cases = cases_for(KERNEL, [layer_of((8, 8, 64), 64)])
    assert check(cases, M4, style=Style.OWN)[0] <= 0.45 * cases[0].graph.macs
