"""The kernels of Dense against NumPy: on the host with UBSan, and on emulated cores."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.harness import check
from kernels.matrix_cases import Layer, cases_for, dense_layers
from kernels.test_conv_kernels import BATCHES, M0, M3, M4, RV
from smidgen.ops.dense.kernels.dense_few_s8_dsp import DenseFewInt8Dsp
from smidgen.ops.dense.kernels.dense_s8 import DenseInt8
from smidgen.ops.dense.kernels.dense_s8_dsp import DenseRowsInt8Dsp, DenseVectorInt8Dsp
from smidgen.ops.dense.kernels.dense_s8_interleaved import (
    DenseInt8Interleaved,
    DenseRowsInt8Octet,
    DenseRowsInt8Trio,
)
from smidgen.ops.dense.ops import Dense

LAYERS = st.lists(dense_layers(), min_size=40, max_size=60)


@BATCHES
@given(LAYERS)
def test_portable_kernel_is_exact_on_the_host(layers):
    check(cases_for(DenseInt8(), layers))


@BATCHES
@given(LAYERS)
def test_dsp_kernel_of_one_row_is_exact(layers):
    cases = cases_for(DenseVectorInt8Dsp(), layers)
    assert len(cases) > len(layers) // 5
    check(cases, M4)


@settings(BATCHES, max_examples=2)
@given(LAYERS)
def test_dsp_kernel_of_few_outputs_is_exact(layers):
    cases = cases_for(DenseFewInt8Dsp(), layers)
    assert len(cases) > len(layers) // 4
    check(cases, M4)


@settings(BATCHES, max_examples=2)
@given(LAYERS)
def test_dsp_kernel_of_rows_is_exact(layers):
    cases = cases_for(DenseRowsInt8Dsp(), layers)
    assert len(cases) > len(layers) // 4
    check(cases, M4)


@BATCHES
@given(LAYERS)
def test_kernels_without_simd_are_exact_on_the_host(layers):
    cases = [*cases_for(DenseInt8Interleaved(), layers), *cases_for(DenseRowsInt8Trio(), layers)]
    assert len(cases) == len(layers)
    check(cases)


@pytest.mark.parametrize("board", [M3, M0, RV])
@settings(BATCHES, max_examples=1)
@given(LAYERS)
def test_kernel_of_one_row_is_exact_on_cores(board, layers):
    check(cases_for(DenseInt8Interleaved(), layers), board)


@pytest.mark.parametrize("inputs", ["low", "high", "extreme", "random"])
def test_sums_over_several_segments_are_exact(inputs):
    layers = [
        Layer(Dense(), (1, 1030), (13, 1030), (3, -5), (0.002, 0.02), 127, inputs, None, 3),
        Layer(Dense(), (1, 4001), (4, 4001), (-128, 127), (0.0005, 0.001), 127, inputs, None, 5),
        Layer(Dense(), (1, 257), (1, 257), (127, -128), (0.0005, 0.001), 127, inputs, None, 6),
    ]
    for board in ("", M3, M0, RV):
        check(cases_for(DenseInt8Interleaved(), layers), board)


@pytest.mark.parametrize(("board", "limit"), [(M3, 1.7), (M0, 3.3), (RV, 2.9)])
@pytest.mark.parametrize("outputs", [128, 4])
def test_instructions_without_simd(board, limit, outputs):
    layer = Layer(
        Dense(), (1, 640), (outputs, 640), (-128, -128), (0.002, 0.01), 60, "random", None, 7
    )
    cases = cases_for(DenseInt8Interleaved(), [layer])
    least = limit + (0.7 if outputs == 4 else 0)
    assert check(cases, board)[0] <= least * cases[0].graph.macs


@settings(BATCHES, max_examples=1)
@given(LAYERS)
def test_kernels_of_rv32_are_exact(layers):
    kernels = (DenseInt8Interleaved(), DenseRowsInt8Octet())
    check([case for kernel in kernels for case in cases_for(kernel, layers, "rv32imc")], RV)
