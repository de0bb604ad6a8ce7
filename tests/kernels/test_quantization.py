"""QUANTIZE, DEQUANTIZE and CAST, three ways: NumPy reference, TensorFlow Lite Micro, compiled C."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.tflite_writer import OperatorSpec, TensorSpec, write_model
from support.threeway import Model, check

SHAPE = (3, 100)
REQUANTIZED = (
    ("int8", "int8"), ("int8", "uint8"), ("int8", "int16"), ("int8", "int32"), ("uint8", "int8"),
    ("int16", "int8"), ("int16", "int16"), ("int16", "int32"), ("int32", "int8"),
    ("int32", "int16"),
)  # fmt: skip
CAST_BY_MICRO = ("int8", "int16", "int32", "uint32", "bool", "float32")
SCALES = {"int8": 0.05, "uint8": 0.05, "int16": 0.0003, "int32": 0.00002}


def conversion(
    name: str, x: TensorSpec, y: TensorSpec, values: np.ndarray, *, micro: bool = True
) -> Model:
    data = write_model([x, y], [OperatorSpec(name, [0], [1])], [0], [1])
    return Model(f"{name}_{x.dtype}_{y.dtype}", data, [[values]], micro=micro)


def quantised(dtype: str, seed: int) -> TensorSpec:
    rng = np.random.default_rng(seed)
    scale = float(np.float32(SCALES[dtype] * rng.uniform(0.3, 3)))
    zero_point = {"int8": int(rng.integers(-60, 60)), "uint8": int(rng.integers(60, 190))}
    return TensorSpec(SHAPE, dtype, scale, zero_point.get(dtype, 0))


def integers(dtype: str, seed: int) -> np.ndarray:
    rng, info = np.random.default_rng(seed), np.iinfo(dtype)
    values = rng.integers(info.min, info.max, SHAPE, dtype, endpoint=True)
    values[0, :2] = info.min, info.max
    return values // 16384 if dtype == "int32" else values


@pytest.mark.parametrize(("source", "target"), REQUANTIZED)
def test_requantisation(source: str, target: str) -> None:
    models = [
        conversion(
            "QUANTIZE", quantised(source, seed), quantised(target, seed + 9), integers(source, seed)
        )
        for seed in range(5)
    ]
    check(models)


def test_images_change_between_signed_and_unsigned_bytes() -> None:
    unsigned, signed = TensorSpec(SHAPE, "uint8", 0.02, 128), TensorSpec(SHAPE, "int8", 0.02, 0)
    check(
        [
            conversion("QUANTIZE", unsigned, signed, integers("uint8", 0)),
            conversion("QUANTIZE", signed, unsigned, integers("int8", 0)),
        ]
    )


def reals() -> np.ndarray:
    """Of all magnitudes, with halves of quanta of scale 1/8 among them."""
    rng = np.random.default_rng(5)
    values = rng.normal(0, 1, SHAPE) * np.exp2(rng.integers(-6, 8, SHAPE))
    values[0] = np.arange(-50, 50) / 16
    values[1, :4] = 0.49999997 / 8, -0.49999997 / 8, 0.0, -0.0
    return values.astype(np.float32)


def test_floats_to_quanta() -> None:
    x = TensorSpec(SHAPE, "float32")
    targets = [TensorSpec(SHAPE, dtype, 0.125, 3) for dtype in ("int8", "int16")]
    targets += [TensorSpec(SHAPE, "int8", 0.037, -100), TensorSpec(SHAPE, "int16", 0.00037, 0)]
    check([conversion("QUANTIZE", x, y, reals()) for y in targets])


def test_floats_beyond_every_quantum_saturate() -> None:
    """Micro's own conversion overflows there."""
    edges = np.array([np.inf, -np.inf, np.nan, 3e38, -3e38, 2.0**31 * 0.5, 100.0], np.float32)
    x = TensorSpec((7,), "float32")
    targets = [TensorSpec((7,), d, 0.5, 3) for d in ("int8", "uint8", "int16", "int32")]
    check([conversion("QUANTIZE", x, y, edges, micro=False) for y in targets])


@pytest.mark.parametrize("source", ["int8", "uint8", "int16"])
def test_quanta_to_floats(source: str) -> None:
    y = TensorSpec(SHAPE, "float32")
    models = [
        conversion("DEQUANTIZE", quantised(source, seed), y, integers(source, seed))
        for seed in range(3)
    ]
    check(models)


def plain(dtype: str) -> np.ndarray:
    if dtype == "bool":
        return np.random.default_rng(3).integers(0, 2, SHAPE).astype(bool)
    if dtype == "float32":
        return (np.arange(300).reshape(SHAPE) / 7).astype(np.float32)
    return integers(dtype, 3)


@pytest.mark.parametrize("source", CAST_BY_MICRO)
def test_casts(source: str) -> None:
    """Floats stay within the narrowest integer: beyond it C leaves the result open."""
    targets = CAST_BY_MICRO
    x = TensorSpec(SHAPE, source)
    check([conversion("CAST", x, TensorSpec(SHAPE, t), plain(source)) for t in targets])


def test_casts_that_micro_lacks() -> None:
    dtypes = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "bool")
    models = [
        conversion("CAST", TensorSpec(SHAPE, s), TensorSpec(SHAPE, t), plain(s), micro=False)
        for s in dtypes
        for t in dtypes
    ]
    edges = np.array([np.inf, -np.inf, np.nan, 3e38, -3e38, 2.0**31, -(2.0**63), -1.5], np.float32)
    x = TensorSpec((8,), "float32")
    models += [
        replace(conversion("CAST", x, TensorSpec((8,), t), edges, micro=False), name=f"edges_{t}")
        for t in dtypes
        if t != "float32"
    ]
    check(models)
