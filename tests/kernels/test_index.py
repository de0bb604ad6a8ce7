"""Ops that pick by position: reference, TensorFlow Lite Micro and generated C agree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels.small_models import constant, model, random_values, tensor
from support.threeway import Model, check


def gathered(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in ("int8", "float32"):
        for shape, positions, axis, batch in (
            ((5, 3), (4,), 0, 0),
            ((5, 3), (2, 2), 1, 0),
            ((2, 4, 3), (3,), -2, 0),
            ((2, 4, 3), (2, 5), 1, 1),
            ((2, 3, 4, 2), (2, 3, 1), 2, 2),
            ((2, 3, 4), (2, 2), 2, 1),
            ((6,), (), 0, 0),
            ((2, 4, 3), (2, 5), 1, -1),
        ):
            front, at = batch + len(positions) * (batch < 0), axis % len(shape)
            result = [*shape[:at], *positions[front:], *shape[at + 1 :]]
            picks = rng.integers(0, shape[axis], positions)
            ends = tensor(shape, dtype), tensor(result, dtype)
            options = {"axis": axis, "batch_dims": batch}
            name = f"gather {dtype} {shape} {positions} {axis} {batch}"
            if result:
                yield model(name, "GATHER", [ends[0], constant(picks)], [ends[1]], options)
            if positions and result:
                runs = [[random_values(rng, ends[0]), picks.astype(np.int32)] for _ in range(2)]
                places = tensor(positions, "int32")
                yield model(
                    f"{name} run", "GATHER", [ends[0], places], [ends[1]], options, runs=runs
                )
        for shape, depth in (((4, 5), 2), ((4, 5), 1), ((2, 3, 4), 2)):
            picks = np.stack([rng.integers(0, n, (3, 2)) for n in shape[:depth]], -1)
            ends = tensor(shape, dtype), tensor((3, 2, *shape[depth:]), dtype)
            yield model(
                f"gather_nd {dtype} {shape} {depth}",
                "GATHER_ND",
                [ends[0], constant(picks)],
                [ends[1]],
            )
        table = tensor((6, 2, 3), dtype)
        rows = constant([5, 0, 0, 3])
        yield model(
            f"embedding {dtype}", "EMBEDDING_LOOKUP", [rows, table], [tensor((4, 2, 3), dtype)]
        )
    table = tensor((6, 5), "int8", scale=0.037)
    result = tensor((4, 5), "float32")
    yield model("embedding hybrid", "EMBEDDING_LOOKUP", [constant([5, 0, 0, 3]), table], [result])


def chosen(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in ("int8", "int16", "float32"):
        for index, shapes in enumerate(
            (
                ((2, 3), (2, 3), (2, 3)),
                ((2, 1), (1, 3), (2, 3)),
                ((3,), (2, 3), (1,)),
                ((1,), (4, 2), (2,)),
                ((2, 1, 3, 1), (1, 4, 1, 5), (2, 4, 3, 5)),
            )
        ):
            result = np.broadcast_shapes(*shapes)
            inputs = [tensor(shapes[0], "bool"), *(tensor(shape, dtype) for shape in shapes[1:])]
            yield model(f"select {dtype} {index}", "SELECT_V2", inputs, [tensor(result, dtype)])
    for dtype in ("int8", "float32"):
        for operator in ("ARG_MAX", "ARG_MIN"):
            for shape, axis in (((7,), 0), ((3, 40), -1), ((3, 40), 0), ((2, 5, 3), 1)):
                rest = [*shape]
                rest.pop(axis)
                yield model(
                    f"{operator} {dtype} {shape} {axis}",
                    operator,
                    [tensor(shape, dtype), constant(axis)],
                    [tensor(rest, "int32")],
                    {"output_type": 2},
                )
        for operand, update in (
            ((4, 5), (2, 2)),
            ((4, 5), (4, 5)),
            ((6,), (1,)),
            ((2, 3, 4), (1, 3, 2)),
        ):
            for index, width in enumerate(("int32", "int64")):
                begins = rng.integers(-2, 6, (3, len(operand))).astype(width)
                ends = [tensor(operand, dtype), tensor(update, dtype)]
                runs = [[*(random_values(rng, end) for end in ends), begin] for begin in begins]
                yield model(
                    f"update {dtype} {operand} {index}",
                    "DYNAMIC_UPDATE_SLICE",
                    [*ends, tensor((len(operand),), width)],
                    [tensor(operand, dtype)],
                    runs=runs,
                )


def running(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in ("int8", "float32"):
        for shape, axis in (((6,), 0), ((3, 4), -1), ((2, 5, 3), 1)):
            for flags in range(4):
                zero_points = rng.integers(-20, 20, 2).tolist() if dtype == "int8" else (0, 0)
                options = {"exclusive": bool(flags & 1), "reverse": bool(flags & 2)}
                scale = None if dtype == "float32" else 0.9
                ends = (
                    tensor(shape, dtype, zero_points[0]),
                    tensor(shape, dtype, zero_points[1], scale),
                )
                name = f"cumsum {dtype} {shape} {flags}"
                yield model(name, "CUMSUM", [ends[0], constant(axis)], [ends[1]], options)


@pytest.mark.parametrize("family", [gathered, chosen, running])
def test_index_ops_are_exact(family) -> None:
    check(list(family(np.random.default_rng(4))))


def test_positions_outside_are_clamped() -> None:
    # Micro stops with an error here; on the device there is nobody to tell.
    x = np.arange(12, dtype=np.int8).reshape(4, 3)
    far = np.array([-5, 99, 2**31 - 1, -(2**31)], np.int32)
    ends = [tensor((4, 3)), tensor((4,), "int32")], [tensor((4, 3))]
    check([model("far", "GATHER", *ends, {"axis": 0}, runs=[[x, far]], micro=False)])
    pairs = np.array([[-1, 9], [3, -2]], np.int32)
    ends = [tensor((4, 3)), tensor((2, 2), "int32")], [tensor((2,))]
    check([model("far pairs", "GATHER_ND", *ends, runs=[[x, pairs]], micro=False)])
