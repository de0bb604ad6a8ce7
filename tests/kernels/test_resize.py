"""Resizings: reference, TensorFlow Lite Micro and generated C give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels.small_models import constant, model, tensor
from support.threeway import Model, check

SIZES = (
    ((3, 4), (6, 8)),
    ((3, 4), (2, 2)),
    ((5, 7), (11, 3)),
    ((4, 4), (4, 4)),
    ((2, 3), (1, 1)),
    ((1, 1), (3, 2)),
    ((6, 5), (7, 13)),
    ((9, 2), (4, 31)),
)


def resized(operator: str, dtypes: tuple[str, ...], rng: np.random.Generator) -> Iterator[Model]:
    for dtype in dtypes:
        for before, after in SIZES:
            for corners, half in ((False, False), (True, False), (False, True)):
                batch, depth = (int(n) for n in rng.integers(1, 4, 2))
                x, y = ((batch, *size, depth) for size in (before, after))
                options = {"align_corners": corners, "half_pixel_centers": half}
                name = f"{operator} {dtype} {before} {after} {corners} {half}"
                inputs = [tensor(x, dtype), constant(after)]
                yield model(name, operator, inputs, [tensor(y, dtype)], options)


@pytest.mark.parametrize(
    ("operator", "dtypes"),
    [
        ("RESIZE_NEAREST_NEIGHBOR", ("int8", "int16", "float32")),
        ("RESIZE_BILINEAR", ("int8", "float32")),
    ],
)
def test_resizing_is_exact(operator: str, dtypes: tuple[str, ...]) -> None:
    check(list(resized(operator, dtypes, np.random.default_rng(3))))


def test_rounding_past_the_end_stays_inside_the_image() -> None:
    # The scale 1024/70 rounds up to 15, and 69 * 15 lies past the only row.
    inputs = [tensor((1, 1, 1, 1)), constant((70, 70))]
    check([model("past", "RESIZE_BILINEAR", inputs, [tensor((1, 70, 70, 1))], {}, micro=False)])
