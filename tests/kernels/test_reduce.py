"""Reductions: reference, TensorFlow Lite Micro and generated C give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels.small_models import constant, model, tensor
from smidgen.core.errors import UnsupportedOp
from support.threeway import Model, check, graph_of

SHAPES = (
    ((1, 4, 5, 3), (1, 2)),
    ((1, 4, 5, 3), (2, 1)),
    ((2, 3, 4), (-1,)),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4, 2), (1, 3)),
    ((1, 7, 1, 6), (1, 1)),
    ((17,), (0,)),
    ((2, 3, 2), (1,)),
)


def kept(shape: tuple[int, ...], axes: tuple[int, ...], keep_dims: bool) -> list[int]:
    gone = {axis % len(shape) for axis in axes}
    if keep_dims:
        return [1 if axis in gone else n for axis, n in enumerate(shape)]
    return [n for axis, n in enumerate(shape) if axis not in gone]


def sums(rng: np.random.Generator) -> Iterator[Model]:
    for operator in ("MEAN", "SUM"):
        for dtype in ("int8", "int16", "float32"):
            for shape, axes in SHAPES:
                for keep_dims in (False, True):
                    zero_points = rng.integers(-128, 128, 2).tolist() if dtype == "int8" else (0, 0)
                    scales = rng.choice([0.5, 0.013, 0.021, 1.7], 2).tolist()
                    ends = [
                        tensor(extents, dtype, zero, None if dtype == "float32" else scale)
                        for extents, zero, scale in zip(
                            (shape, kept(shape, axes, keep_dims)), zero_points, scales, strict=True
                        )
                    ]
                    name = f"{operator} {dtype} {shape} {axes} {keep_dims}"
                    yield model(
                        name,
                        operator,
                        [ends[0], constant(axes)],
                        ends[1:],
                        {"keep_dims": keep_dims},
                        seed=int(rng.integers(1 << 30)),
                        count=3,
                    )


def extremes(rng: np.random.Generator) -> Iterator[Model]:
    for operator in ("REDUCE_MAX", "REDUCE_MIN", "REDUCE_ALL"):
        for dtype in ("bool",) if operator == "REDUCE_ALL" else ("int8", "float32"):
            for shape, axes in SHAPES:
                for keep_dims in (False, True):
                    ends = [tensor(n, dtype) for n in (shape, kept(shape, axes, keep_dims))]
                    name = f"{operator} {dtype} {shape} {axes} {keep_dims}"
                    yield model(
                        name,
                        operator,
                        [ends[0], constant(axes)],
                        ends[1:],
                        {"keep_dims": keep_dims},
                    )


@pytest.mark.parametrize("family", [sums, extremes])
def test_reductions_are_exact(family) -> None:
    check(list(family(np.random.default_rng(2))))


def test_sums_of_int16_wrap_as_in_micro() -> None:
    x = np.full((1, 70000), 32767, np.int16)
    ends = [tensor(x.shape, "int16"), constant([1])], [tensor((1,), "int16", 0, 300.0)]
    check([model("long sum", "SUM", *ends, {}, runs=[[x], [-x]])])


def test_means_over_more_axes_than_micro_allows() -> None:
    ends = [tensor((2, 3, 4, 5), "int8", 3), constant([0, 1, 2])], [tensor((5,), "int8", 3)]
    check([model("three axes", "MEAN", *ends, {}, micro=False)])


def test_a_maximum_that_would_need_rescaling_is_refused() -> None:
    ends = [tensor((2, 3)), constant([1])], [tensor((2,), scale=0.25)]
    with pytest.raises(UnsupportedOp, match="differ in scale"):
        graph_of(model("rescaled", "REDUCE_MAX", *ends, {}))
