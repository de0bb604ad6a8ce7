"""Types of few bits against the package ml_dtypes, and powers against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx (smidgen[onnx]) is not installed")
pytest.importorskip("ml_dtypes", reason="ml_dtypes (of onnx) is not installed")

import ml_dtypes
from onnx import TensorProto

from smidgen.core.errors import UnsupportedError
from smidgen.frontends.onnx.narrow import MINIFLOATS, NARROW_INTEGERS, unpacked
from support.onnx_nets import assert_same, graph_of, one

TYPES = {
    TensorProto.FLOAT8E4M3FN: "float8_e4m3fn",
    TensorProto.FLOAT8E4M3FNUZ: "float8_e4m3fnuz",
    TensorProto.FLOAT8E5M2: "float8_e5m2",
    TensorProto.FLOAT8E5M2FNUZ: "float8_e5m2fnuz",
    TensorProto.FLOAT8E8M0: "float8_e8m0fnu",
}


@pytest.mark.parametrize("element", TYPES)
def test_every_code_of_a_small_float(element: int) -> None:
    codes = np.arange(256).astype(np.uint8)
    wanted = codes.view(getattr(ml_dtypes, TYPES[element])).astype(np.float32)
    np.testing.assert_array_equal(unpacked(codes, element, 256), wanted)


def test_every_code_of_float4() -> None:
    wanted = np.arange(16).astype(np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float32)
    np.testing.assert_array_equal(MINIFLOATS[TensorProto.FLOAT4E2M1].values(), wanted)


@pytest.mark.parametrize("element", NARROW_INTEGERS)
def test_packed_integers_come_out_in_order(element: int) -> None:
    kind = NARROW_INTEGERS[element]
    each = 8 // kind.bits
    values = np.resize(np.arange(kind.limits[0], kind.limits[1] + 1), 4 * each - 1)
    codes = np.append(values, 0).reshape(-1, each) & ((1 << kind.bits) - 1)
    packed = (codes << (np.arange(each) * kind.bits)).sum(axis=1).astype(np.uint8)
    assert unpacked(packed, element, len(values)).tolist() == values.tolist()


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 7.0, -3.0, 0.5, 1.7, [2.0, 3.0, -1.0, 0.0]])
def test_powers(exponent) -> None:
    positive = not np.all(np.asarray(exponent) == np.rint(exponent))
    model = one("Pow", (2, 3, 4), {"e": np.asarray(exponent, np.float32)})
    x = np.random.default_rng(2).uniform(0.2 if positive else -2, 2, (2, 3, 4))
    assert_same(model, [x.astype(np.float32)])


@pytest.mark.parametrize("exponents", [[2.0, 0.5], [100.0], [np.inf]])
def test_powers_that_are_refused(exponents: list[float]) -> None:
    model = one("Pow", (2, len(exponents)), {"e": np.asarray(exponents, np.float32)})
    with pytest.raises(UnsupportedError, match=r"exponent"):
        graph_of(model)
