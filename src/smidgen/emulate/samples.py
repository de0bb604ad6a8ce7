"""Made-up inputs that exercise a model where no recorded ones are at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.tensor import TensorType

_EXTREMES = 2


def draw_inputs(types: Sequence[TensorType], count: int, seed: int = 0) -> list[list[Array]]:
    """`count` samples of one array for each type: all lowest, all highest, then random.

    Integers are uniform over their whole range, floats normal with mean 0 and deviation 1.
    """
    rng = np.random.default_rng(seed)
    return [[_draw(kind, index, rng) for kind in types] for index in range(count)]


def draw_random_input(types: Sequence[TensorType]) -> list[Array]:
    """The first sample of `draw_inputs` that is random throughout."""
    return draw_inputs(types, _EXTREMES + 1)[_EXTREMES]


def _draw(kind: TensorType, index: int, rng: np.random.Generator) -> Array:
    if kind.dtype is DType.BOOL:
        return rng.integers(0, 2, kind.shape).astype(bool)
    if not kind.dtype.is_integer:
        return rng.standard_normal(kind.shape).astype(np.float32)
    low, high = kind.dtype.range
    if index < _EXTREMES:
        return np.full(kind.shape, (low, high)[index], kind.dtype.numpy)
    drawn = rng.integers(low, high, kind.shape, kind.dtype.numpy, endpoint=True)
    return np.asarray(drawn, kind.dtype.numpy)
