"""The int8 kernels of 8-bit AVR: on this computer with UBSan, and on simavr."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.avr_harness import check_on_avr
from kernels.harness import check
from kernels.matrix_cases import Layer, cases_for, conv_layers, dense_layers
from kernels.test_conv_kernels import BATCHES
from kernels.test_depthwise_kernels import batch, random_depthwise
from kernels.test_depthwise_kernels import cases as depthwise_cases
from smidgen.compiler.sharing import Style
from smidgen.ops.conv.kernels.conv2d_s8_avr import Conv2DInt8Avr
from smidgen.ops.conv.kernels.depthwise_s8_avr import DepthwiseConv2DInt8Avr
from smidgen.ops.conv.ops import Conv2D
from smidgen.ops.dense.kernels.dense_s8_avr import DenseInt8Avr
from smidgen.ops.dense.ops import Dense
from support.avr import needs_avr

CONV = st.lists(conv_layers(), min_size=30, max_size=40)
DENSE = st.lists(dense_layers(), min_size=30, max_size=40)
NUMBERS = {"zero_points": (-5, 3), "factors": (0.0005, 0.001), "magnitude": 127, "overlap": None}
UNO = "arduino-uno-r3"


@BATCHES
@given(CONV)
def test_convolution_is_exact_and_defined(layers: list[Layer]) -> None:
    check(cases_for(Conv2DInt8Avr(), layers, "avr"), core_name="avr")


@BATCHES
@given(DENSE)
def test_dense_is_exact_and_defined(layers: list[Layer]) -> None:
    check(cases_for(DenseInt8Avr(), layers, "avr"), core_name="avr")


@pytest.mark.parametrize("seed", range(2))
def test_depthwise_is_exact_and_defined(seed: int) -> None:
    cases = depthwise_cases(DepthwiseConv2DInt8Avr(), batch(random_depthwise, 60, seed), UNO)
    check(cases, core_name="avr")


@needs_avr
@settings(BATCHES, max_examples=3)
@given(CONV, st.sampled_from(Style))
def test_convolution_on_simavr(layers: list[Layer], style: Style) -> None:
    check_on_avr(cases_for(Conv2DInt8Avr(), layers, "avr"), style=style)


@needs_avr
@settings(BATCHES, max_examples=3)
@given(DENSE, st.sampled_from(Style))
def test_dense_on_simavr(layers: list[Layer], style: Style) -> None:
    check_on_avr(cases_for(DenseInt8Avr(), layers, "avr"), style=style)


@needs_avr
@pytest.mark.parametrize("style", Style)
def test_depthwise_on_simavr(style: Style) -> None:
    graphs = batch(random_depthwise, 40, 5)
    check_on_avr(depthwise_cases(DepthwiseConv2DInt8Avr(), graphs, UNO), style=style)


@needs_avr
@pytest.mark.parametrize("inputs", ["random", "extreme", "low", "high"])
def test_cycles_of_a_product(inputs: str) -> None:
    """13 for each, and what a call and an output take."""
    layer = Layer(Dense(), (1, 512), (16, 512), inputs=inputs, seed=1, **NUMBERS)
    (cycles,) = check_on_avr(cases_for(DenseInt8Avr(), [layer], "avr"))
    assert cycles / (512 * 16) < 14.5
    layer = Layer(Conv2D(), (1, 8, 8, 16), (16, 3, 3, 16), inputs=inputs, seed=1, **NUMBERS)
    (cycles,) = check_on_avr(cases_for(Conv2DInt8Avr(), [layer], "avr"))
    assert cycles / (36 * 16 * 144) < 23
