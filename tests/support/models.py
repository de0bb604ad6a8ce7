"""Small .tflite models that tests write, and the samples' goldens."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from support.tflite_writer import OperatorSpec, TensorSpec, write_model


def keyword_like_model(seed: int = 0, rows: int = 12) -> bytes:
    """A little int8 classifier: conv, depthwise, pool, reshape, dense, softmax."""
    rng = np.random.default_rng(seed)

    def weights(shape: tuple[int, ...], axis: int) -> TensorSpec:
        scales = rng.uniform(0.002, 0.02, shape[axis]).tolist()
        data = rng.integers(-127, 128, shape).astype(np.int8)
        return TensorSpec(shape, "int8", scales, 0, axis, data)

    def bias(channels: int) -> TensorSpec:
        data = rng.integers(-1000, 1000, channels).astype(np.int32)
        return TensorSpec((channels,), "int32", 1e-4, data=data)

    tensors = [
        TensorSpec((1, rows, 6, 1), "int8", 0.5, -4, name="window"),
        weights((8, 3, 3, 1), 0),
        bias(8),
        TensorSpec((1, rows // 2, 3, 8), "int8", 0.2, -128),
        weights((1, 3, 3, 8), 3),
        bias(8),
        TensorSpec((1, rows // 2, 3, 8), "int8", 0.3, 2),
        TensorSpec((1, 1, 1, 8), "int8", 0.3, 2),
        TensorSpec((1, 8), "int8", 0.3, 2),
        TensorSpec((2,), "int32", data=np.array([1, 8], np.int32)),
        weights((4, 8), 0),
        bias(4),
        TensorSpec((1, 4), "int8", 0.2, 9),
        TensorSpec((1, 4), "int8", 1 / 256, -128, name="classes"),
    ]
    stride = {"strideW": 2, "strideH": 2}
    pool = {"padding": 1, "filterHeight": rows // 2, "filterWidth": 3}
    operators = [
        OperatorSpec("CONV_2D", [0, 1, 2], [3], stride | {"fusedActivationFunction": 1}),
        OperatorSpec("DEPTHWISE_CONV_2D", [3, 4, 5], [6], {"strideW": 1, "strideH": 1}),
        OperatorSpec("AVERAGE_POOL_2D", [6], [7], {**pool, "strideW": 1, "strideH": 1}),
        OperatorSpec("RESHAPE", [7, 9], [8]),
        OperatorSpec("FULLY_CONNECTED", [8, 10, 11], [12], {}),
        OperatorSpec("SOFTMAX", [12], [13], {"beta": 1.0}),
    ]
    return write_model(tensors, operators, [0], [13])


def read_goldens(folder: Path, shape: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(input, expected output) of every row of a golden.csv, as int8."""
    with (folder / "golden.csv").open() as lines:
        rows = list(csv.reader(lines))[1:]
    return [
        (
            np.fromfile(folder / row[0], np.int8).reshape(shape),
            np.array([int(value) for value in row[1:]], np.int8),
        )
        for row in rows
    ]
