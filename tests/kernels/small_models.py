"""Models of a single TensorFlow Lite operator, made of random operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from support.tflite_writer import OperatorSpec, TensorSpec, write_model
from support.threeway import Model

SCALES = {"int8": 0.5, "int16": 0.25}


def tensor(
    shape: Sequence[int], dtype: str = "int8", zero_point: int = 0, scale: float | None = None
) -> TensorSpec:
    """An activation, quantised if its type is narrow."""
    return TensorSpec(list(shape), dtype, scale or SCALES.get(dtype), zero_point)


def constant(values: Any, dtype: str = "int32") -> TensorSpec:
    """A constant operand."""
    data = np.asarray(values, dtype)
    return TensorSpec(list(data.shape), dtype, data=data)


def random_values(rng: np.random.Generator, spec: TensorSpec) -> np.ndarray:
    """Values of the whole range of the type; whole floats now and then equal each other."""
    shape = tuple(spec.shape)
    if spec.dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if spec.dtype == "float32":
        return (rng.integers(-40, 40, shape) / 8).astype(np.float32)
    info = np.iinfo(spec.dtype)
    return rng.integers(info.min, info.max, shape, dtype=spec.dtype, endpoint=True)


def model(
    name: str,
    operator: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    options: Mapping[str, Any] | None = None,
    *,
    runs: Sequence[Sequence[np.ndarray]] | None = None,
    seed: int = 0,
    count: int = 2,
    **kwargs: Any,
) -> Model:
    """One operator; inputs without data are the model's, and random unless `runs` is given."""
    rng = np.random.default_rng(seed)
    tensors = [*inputs, *outputs]
    given = [index for index, spec in enumerate(inputs) if spec.data is None]
    results = list(range(len(inputs), len(tensors)))
    spec = OperatorSpec(operator, list(range(len(inputs))), results, options)
    data = write_model(tensors, [spec], given, results)
    if runs is None:
        runs = [[random_values(rng, inputs[index]) for index in given] for _ in range(count)]
    return Model(name, data, runs, **kwargs)
