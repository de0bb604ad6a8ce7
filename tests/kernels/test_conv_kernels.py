"""The kernels of Conv2D against NumPy: on the host with UBSan, and on emulated cores."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernels.harness import check
from kernels.matrix_cases import Layer, cases_for, conv_layers, one_pixel_layers
from smidgen.compiler.sharing import Style
from smidgen.ops.conv.kernels.conv2d_s8 import Conv2DInt8
from smidgen.ops.conv.kernels.conv2d_s8_dsp import Conv2DInt8Dsp
from smidgen.ops.conv.kernels.conv2d_s8_trio import (
    Conv2DInt8Octet,
    Conv2DInt8Trio,
    Conv2DVectorInt8,
)
from smidgen.ops.conv.kernels.conv2d_s8_wide_dsp import (
    Conv2DInt8WideDsp,
    Conv2DInt8WideDspAnySize,
)
from smidgen.ops.conv.kernels.conv2d_vector_s8_dsp import Conv2DVectorInt8Dsp
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.support.activation import Activation
from smidgen.ops.support.window import Padding

BATCHES = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
LAYERS = st.lists(conv_layers(), min_size=30, max_size=50)
M4, M3, M0, RV = "nucleo-l4r5zi", "nucleo-f103rb", "nucleo-g071rb", "gd32vf103"
RVF = "ch32v307-evt"


@BATCHES
@given(LAYERS)
def test_portable_kernel_is_exact_on_the_host(layers):
    check(cases_for(Conv2DInt8(), layers))


@BATCHES
@given(LAYERS)
def test_trio_kernel_is_exact_on_the_host(layers):
    cases = cases_for(Conv2DInt8Trio(), layers)
    assert len(cases) > len(layers) // 3
    check(cases)


@pytest.mark.parametrize("board", [M3, M0, RV, M4])
@settings(BATCHES, max_examples=2)
@given(LAYERS)
def test_trio_kernel_is_exact_on_cores(board, layers):
    check(cases_for(Conv2DInt8Trio(), layers), board)


@BATCHES
@given(LAYERS)
def test_octet_kernel_is_exact_on_the_host(layers):
    check(cases_for(Conv2DInt8Octet(), layers, "rv32imc"), core_name="rv32imc")


@pytest.mark.parametrize("board", [RV, RVF])
@settings(BATCHES, max_examples=2)
@given(LAYERS)
def test_octet_kernel_is_exact_on_cores(board, layers):
    check(cases_for(Conv2DInt8Octet(), layers, "rv32imc"), board)


@BATCHES
@given(LAYERS)
def test_dsp_kernel_is_exact(layers):
    cases = cases_for(Conv2DInt8Dsp(), layers)
    assert len(cases) > len(layers) // 3
    check(cases, M4)


@BATCHES
@given(LAYERS)
def test_dsp_kernel_with_wide_weights_is_exact(layers):
    cases = cases_for(Conv2DInt8WideDspAnySize(), layers)
    assert len(cases) > len(layers) // 8
    check(cases, M4)


@pytest.mark.parametrize("style", Style)
def test_first_layers_and_few_channels_take_wide_weights(style):
    same = Conv2D(padding=Padding(0, 1, 0, 1), stride=(2, 2), activation=Activation.RELU)
    layers = [
        layer_of((10, 10, 3), (8, 3, 3, 3), same),
        layer_of((9, 9, 1), (5, 3, 3, 1), same, inputs="extreme"),
        layer_of((5, 3, 8), (16, 1, 1, 8), overlap=0, inputs="low"),
        layer_of((5, 3, 13), (7, 1, 1, 13), overlap=0),
        layer_of((30, 1, 5), (9, 3, 1, 5), overlap=0, inputs="high"),
    ]
    cases = cases_for(Conv2DInt8WideDsp(), layers)
    assert len(cases) == len(layers)
    check(cases, M4, style=style)


@settings(BATCHES, max_examples=2)
@given(st.lists(one_pixel_layers(), min_size=30, max_size=50))
def test_dsp_kernel_of_one_pixel_is_exact(layers):
    cases = cases_for(Conv2DVectorInt8Dsp(), layers)
    assert len(cases) > len(layers) // 3
    check(cases, M4)


@settings(BATCHES, max_examples=1)
@given(st.lists(one_pixel_layers(), min_size=30, max_size=50))
def test_kernel_of_one_pixel_without_simd_is_exact(layers):
    cases = cases_for(Conv2DVectorInt8(), layers)
    assert len(cases) > len(layers) // 3
    for board in ("", M3, M0, RV):
        check(cases, board)


@pytest.mark.parametrize("style", Style)
def test_dsp_kernel_is_exact_however_it_is_shared(style):
    layers = [layer_of((5, 4, 8), (9, 1, 1, 8), overlap=0), layer_of((6, 6, 3), (8, 3, 3, 3))]
    check(cases_for(Conv2DInt8Dsp(), layers), M4, style=style)


def layer_of(
    x, weights, op=None, *, inputs="random", magnitude=127, overlap=None, zeros=(-128, -128)
):
    op = op or Conv2D(activation=Activation.RELU)
    return Layer(op, (1, *x), weights, zeros, (0.002, 0.01), magnitude, inputs, overlap, 7)


@pytest.mark.parametrize("inputs", ["low", "high", "extreme"])
def test_sums_at_their_bounds_are_exact(inputs):
    same = Conv2D(padding=Padding(1, 1, 1, 1))
    layers = [
        layer_of((4, 4, 64), (5, 3, 3, 64), same, inputs=inputs, zeros=(127, 3)),
        layer_of((4, 3, 256), (4, 1, 1, 256), inputs=inputs),
        layer_of((3, 3, 1), (1, 1, 1, 1), inputs=inputs),
    ]
    check(cases_for(Conv2DInt8Trio(), layers))
    check(cases_for(Conv2DInt8Octet(), layers), RV)
    check(cases_for(Conv2DInt8Dsp(), layers), M4)


def test_common_layers_take_the_fast_kernels():
    relu = Conv2D(activation=Activation.RELU)
    linear = Conv2D(padding=Padding(1, 1, 1, 1))
    layers = [
        layer_of((25, 5, 64), (64, 1, 1, 64), relu),
        layer_of((8, 8, 64), (64, 3, 3, 64), linear, magnitude=40, zeros=(-128, 4)),
        layer_of((9, 9, 3), (16, 3, 3, 3), linear, zeros=(-1, -3)),
    ]
    assert len(cases_for(Conv2DInt8Dsp(), layers)) == len(layers)
    assert len(cases_for(Conv2DInt8Trio(), layers)) == len(layers)


@pytest.mark.parametrize(
    ("kernel", "board", "limit"),
    [
        (Conv2DInt8WideDspAnySize(), M4, 0.8),
        (Conv2DInt8Dsp(), M4, 0.95),
        (Conv2DInt8Trio(), M3, 1.7),
        (Conv2DInt8Trio(), M0, 3.7),
        (Conv2DInt8Trio(), RV, 2.5),
        (Conv2DInt8Octet(), RV, 2.0),
    ],
)
def test_instructions_of_a_pointwise_layer(kernel, board, limit):
    cases = cases_for(kernel, [layer_of((25, 5, 64), (64, 1, 1, 64), magnitude=80)])
    assert check(cases, board)[0] <= limit * cases[0].graph.macs
