"""Input values for operators of arithmetic, within what the operator is defined for."""

from __future__ import annotations

import numpy as np

from support.tflite_writer import TensorSpec


def values_of(
    rng: np.random.Generator, operator: str, spec: TensorSpec, position: int
) -> np.ndarray:
    """Random values of the whole type; divisors are no zeros; floats are of all magnitudes."""
    if spec.dtype == "bool":
        return rng.integers(0, 2, spec.shape).astype(bool)
    divides = operator in {"DIV", "FLOOR_DIV", "FLOOR_MOD"} and position == 1
    if spec.dtype == "float32":
        magnitudes = np.exp2(rng.integers(-8, 8, spec.shape))
        return (rng.standard_normal(spec.shape) * magnitudes).astype(np.float32)
    info = np.iinfo(spec.dtype)
    values = rng.integers(info.min, info.max, spec.shape, spec.dtype, endpoint=True)
    if operator in {"ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"} and spec.dtype == "int32":
        values //= 70000  # overflow is undefined in Micro
    if divides:
        zero_point = spec.zero_point if spec.scale else 0
        values = np.where(values == zero_point, info.max, values)
    return np.asarray(values, spec.dtype)
