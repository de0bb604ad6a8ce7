"""The kernels of Dense against NumPy: on the host with UBSan, and on emulated cores."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.harness import check
from kernels.matrix_cases import cases_for, dense_layers
from kernels.test_conv_kernels import BATCHES, M0, M3, M4, RV
from smidgen.ops.dense.kernels.dense_s8 import DenseInt8
from smidgen.ops.dense.kernels.dense_s8_dsp import DenseRowsInt8Dsp, DenseVectorInt8Dsp
from smidgen.ops.dense.kernels.dense_s8_interleaved import (
    DenseInt8Interleaved,
    DenseRowsInt8Octet,
    DenseRowsInt8Trio,
)

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


@settings(BATCHES, max_examples=1)
@given(LAYERS)
def test_octet_kernel_of_rows_is_exact(layers):
    cases = cases_for(DenseRowsInt8Octet(), layers, "rv32imc")
    assert len(cases) > len(layers) // 4
    check(cases, RV)
