"""Our own float32 functions against float64: errors in units in the last place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from smidgen.ops.support import float_math

_RNG = np.random.default_rng(0)
NEAR = _RNG.normal(0, 5, 50_000).astype(np.float32)
BITS = _RNG.integers(0, 2**32, 50_000, dtype=np.uint32).view(np.float32)
EVERYWHERE = np.concatenate([NEAR, BITS[np.isfinite(BITS)]])


def worst_ulp(
    ours: Callable[[np.ndarray], np.ndarray],
    exact: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
) -> float:
    with np.errstate(all="ignore"):
        wanted = exact(x.astype(np.float64))
        unit = np.spacing(np.abs(wanted.astype(np.float32))).astype(np.float64)
        return float(
            np.nanmax(np.abs(ours(x) - wanted)[np.isfinite(unit)] / unit[np.isfinite(unit)])
        )


@pytest.mark.parametrize(
    ("name", "limit"), [("exp", 1.0), ("log", 0.9), ("tanh", 1.4), ("sin", 2.5), ("cos", 2.5)]
)
def test_errors_are_what_the_header_states(name: str, limit: float) -> None:
    assert worst_ulp(getattr(float_math, name), getattr(np, name), EVERYWHERE) <= limit


def test_erf_against_its_integral() -> None:
    """By Simpson's rule, which is exact to 1e-12 here."""
    x = np.linspace(-5, 5, 201)
    nodes = np.linspace(0, 1, 2001)
    weights = np.tile([2.0, 4.0], 1001)[:2001]
    weights[0] = weights[-1] = 1.0
    weights *= (nodes[1] - nodes[0]) / 3
    integral = (np.exp(-((x[:, None] * nodes) ** 2)) * weights).sum(axis=1)
    exact = 2 / np.sqrt(np.pi) * x * integral
    assert np.abs(float_math.erf(x.astype(np.float32)) - exact).max() < 2.5e-7


def test_limits() -> None:
    ends = np.array([np.inf, -np.inf, np.nan], np.float32)
    assert np.array_equal(float_math.exp(ends), [np.inf, 0, np.nan], equal_nan=True)
    assert np.array_equal(float_math.tanh(ends), [1, -1, np.nan], equal_nan=True)
    assert np.array_equal(float_math.erf(ends), [1, -1, np.nan], equal_nan=True)
    assert np.isnan(float_math.sin(ends)).all() and np.isnan(float_math.cos(ends)).all()
    logs = float_math.log(np.array([0, -1, np.inf, np.nan, 1], np.float32))
    assert np.array_equal(logs, [-np.inf, np.nan, np.inf, np.nan, 0], equal_nan=True)


def test_rounding() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 8388609.0, -8388611.0], np.float32)
    assert float_math.round_to_even(x).tolist() == [0, 2, 2, 0, -2, 0, 8388609, -8388611]
    assert float_math.round_half_away(x).tolist() == [1, 2, 3, -1, -2, 0, 8388609, -8388611]
