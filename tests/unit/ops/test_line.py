"""Requantisation as a line: it must be the reference, for every sum that a layer can reach."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.core.fixedpoint import multiply
from smidgen.ops.support.columns import pack, scaling
from smidgen.ops.support.line import fit_lines, staircase, sum_bounds
from smidgen.ops.support.requantize import Multipliers


def layer(rng, outputs=6, depth=24, factors=(0.002, 0.05)):
    weights = rng.integers(-127, 128, (outputs, depth))
    bias = rng.integers(-3000, 3000, outputs)
    return weights, bias, Multipliers.of([float(real) for real in rng.uniform(*factors, outputs)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("clamp", [(-128, 127), (-128, 60), (-20, 100)])
def test_line_is_the_reference_for_every_sum(seed, clamp):
    weights, bias, multipliers = layer(np.random.default_rng(seed))
    zero_point = clamp[0]
    stairs = staircase(weights, bias, multipliers, zero_point, clamp)
    lines = fit_lines(stairs)
    assert lines is not None
    for o, (low, high) in enumerate(zip(*sum_bounds(weights), strict=True)):
        sums = np.arange(low, high + 1)
        wanted = multiply(sums + bias[o], multipliers.mantissas[o], multipliers.shifts[o])
        u = sums * lines.scale + lines.intercepts[o]
        assert np.abs(u).max() < 1 << 31
        found = ((((u * lines.slopes[o]) >> 32) + lines.drop) >> 16) - 128
        assert np.abs(found).max() < 1 << 15
        assert np.array_equal(np.clip(found, *clamp), np.clip(wanted + zero_point, *clamp))


@pytest.mark.parametrize("factors", [(0.002, 0.05), (2.0**-7, 2.0**-7), (2.0**-15, 2.0**-15)])
def test_steps_are_the_reference_where_outputs_may_be_negative(factors):
    weights, bias, multipliers = layer(np.random.default_rng(5), factors=factors)
    found = scaling(weights, bias, multipliers, 3, (-128, 127))
    assert found is not None and found.scale == 0
    for o, (low, high) in enumerate(zip(*sum_bounds(weights), strict=True)):
        sums = np.arange(low, high + 1)
        start, mantissa, power = found.words[o]
        h = ((sums + start) * mantissa + (1 << 30)) >> 31
        made = (((h + (h >> 31)) * power + found.addend) >> 16) - 128
        wanted = multiply(sums + bias[o], multipliers.mantissas[o], multipliers.shifts[o]) + 3
        assert np.array_equal(np.clip(made, -128, 127), np.clip(wanted, -128, 127))


def test_multipliers_of_one_and_more_have_no_fast_scaling_with_negative_outputs():
    weights, bias, _ = layer(np.random.default_rng(6))
    assert scaling(weights, bias, Multipliers.of([1.5] * len(bias)), 0, (-128, 127)) is None


def test_accumulators_that_could_leave_32_bits_have_no_staircase():
    weights, bias, multipliers = layer(np.random.default_rng(7))
    assert staircase(weights, bias + (1 << 31), multipliers, -128, (-128, 127)) is None


def test_packed_words_hold_pairs_of_outputs():
    weights = np.array([[1, 2, 3, 4, 5], [-6, -7, 8, 9, 10]])
    multipliers = Multipliers.of([0.01, 0.01])
    scale = scaling(weights, np.zeros(2, np.int64), multipliers, 0, (-128, 127))
    assert scale is not None
    words = pack(weights, scale, 4)
    low = words.view(np.int16).reshape(-1, 2)
    # k = (0, 2) and (1, 3) of outputs 0 and 1, each followed by the empty pair of outputs 2 and 3.
    assert low[0].tolist() == [256 * -6 + 1, 256 * 8 + 3]
    assert low[2].tolist() == [256 * -7 + 2, 256 * 9 + 4]
    assert low[4].tolist() == [256 * 10 + 5, 0]
    assert not low[1].any() and not low[3].any()
