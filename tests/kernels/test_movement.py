"""Ops that move elements: reference, TensorFlow Lite Micro and generated C give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels.small_models import constant, model, tensor
from smidgen.core.dtypes import DType
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Quantization, Tensor
from smidgen.ops.shape.batches import SpaceToBatch
from support.threeway import Model, check

EVERY = ("int8", "int16", "int32", "int64", "bool", "float32")
COMMON = ("int8", "int16", "int32", "float32")


def joined(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in EVERY:
        for shape, axis, count in (
            ((2, 3, 4), 0, 2),
            ((2, 3, 4), 1, 3),
            ((2, 3, 4), -1, 10),
            ((1, 1, 5), 1, 2),
            ((4,), 0, 2),
        ):
            lengths = rng.integers(1, 4, count)
            parts = []
            for length in lengths:
                extents = list(shape)
                extents[axis] = int(length)
                parts.append(tensor(extents, dtype))
            whole = list(shape)
            whole[axis] = int(lengths.sum())
            options = {"axis": axis, "fused_activation_function": 0}
            yield model(
                f"concat {dtype} {shape} {axis}",
                "CONCATENATION",
                parts,
                [tensor(whole, dtype)],
                options,
            )
    for dtype in ("int8", "int16", "int32", "int64", "float32"):
        for axis in (0, 1, -1):
            extents = [2, 3]
            extents.insert(axis if axis >= 0 else 2, 3)
            yield model(
                f"pack {dtype} {axis}",
                "PACK",
                [tensor((2, 3), dtype)] * 3,
                [tensor(extents, dtype)],
                {"axis": axis, "values_count": 3},
            )


def cut(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in COMMON:
        for axis in (0, 1, -1, 2):
            whole = [4, 4, 6]
            piece = list(whole)
            piece[axis] //= 2
            yield model(
                f"split {dtype} {axis}",
                "SPLIT",
                [constant(axis), tensor(whole, dtype)],
                [tensor(piece, dtype)] * 2,
                {"num_splits": 2},
            )
            sizes = [1, 2, whole[axis] - 3]
            pieces = [[*whole] for _ in sizes]
            for extents, size in zip(pieces, sizes, strict=True):
                extents[axis] = size
            yield model(
                f"split_v {dtype} {axis}",
                "SPLIT_V",
                [tensor(whole, dtype), constant(sizes), constant(axis)],
                [tensor(extents, dtype) for extents in pieces],
                {"num_splits": 3},
            )
        for axis in (0, 1, -1):
            whole = [2, 3, 4]
            rest = [*whole]
            count = rest.pop(axis)
            yield model(
                f"unpack {dtype} {axis}",
                "UNPACK",
                [tensor(whole, dtype)],
                [tensor(rest, dtype)] * count,
                {"axis": axis, "num": count},
            )


def padded(rng: np.random.Generator) -> Iterator[Model]:
    margins = (
        [[0, 0], [1, 1], [1, 0], [0, 0]],
        [[0, 0], [0, 0], [0, 0], [1, 2]],
        [[1, 1], [0, 2], [3, 0], [0, 1]],
        [[0, 0]] * 4,
    )
    for dtype in COMMON:
        for index, margin in enumerate(margins):
            shape = (1, 3, 2, 2)
            whole = [n + sum(m) for n, m in zip(shape, margin, strict=True)]
            zero = -7 if dtype == "int8" else 0
            ends = [tensor(shape, dtype, zero)], [tensor(whole, dtype, zero)]
            yield model(f"pad {dtype} {index}", "PAD", [*ends[0], constant(margin)], ends[1])
            value = constant(np.array(5), dtype)
            if dtype == "int8":
                value = type(value)([], dtype, 0.5, zero, data=value.data)
            yield model(
                f"padv2 {dtype} {index}", "PADV2", [*ends[0], constant(margin), value], ends[1]
            )
    for dtype in ("int8", "float32"):
        for mode in (0, 1):
            margin = [[0, 1], [2, 1 + mode], [1, 0]]
            whole = [n + sum(m) for n, m in zip((2, 3, 2), margin, strict=True)]
            yield model(
                f"mirror {dtype} {mode}",
                "MIRROR_PAD",
                [tensor((2, 3, 2), dtype), constant(margin)],
                [tensor(whole, dtype)],
                {"mode": mode},
            )


def sliced(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in (*COMMON, "bool"):
        for index in range(4):
            rank = int(rng.integers(1, 5))
            shape = rng.integers(1, 6, rank)
            begin = [int(rng.integers(0, n)) for n in shape]
            size = [int(rng.integers(1, n - b + 1)) for n, b in zip(shape, begin, strict=True)]
            asked = [-1 if b + s == n else s for n, b, s in zip(shape, begin, size, strict=True)]
            yield model(
                f"slice {dtype} {index}",
                "SLICE",
                [tensor(shape.tolist(), dtype), constant(begin), constant(asked)],
                [tensor(size, dtype)],
            )
    made = 0
    while made < 60:
        candidate = _strided(rng, made, (*COMMON, "bool")[made % 5])
        if candidate is not None:
            made += 1
            yield candidate


def _strided(rng: np.random.Generator, index: int, dtype: str) -> Model | None:
    """A random strided slice, or None where it would be empty, which Micro does not take."""
    rank = int(rng.integers(1, 5))
    shape = rng.integers(1, 7, rank)
    stride = rng.choice([-3, -2, -1, 1, 1, 2, 3], rank)
    begin, end = (np.array([rng.integers(-n - 2, n + 3) for n in shape]) for _ in range(2))
    masks = {f"{key}_mask": int(rng.integers(0, 1 << rank)) for key in ("begin", "end")}
    shrink = int(rng.integers(0, 1 << rank)) if rng.random() < 0.4 else 0
    keys = []
    for axis in range(rank):
        low = None if masks["begin_mask"] >> axis & 1 else int(begin[axis])
        high = None if masks["end_mask"] >> axis & 1 else int(end[axis])
        if shrink >> axis & 1:
            if stride[axis] < 0 or low is None or not -shape[axis] <= low < shape[axis]:
                return None
            keys.append(low)
        else:
            keys.append(slice(low, high, int(stride[axis])))
    result = np.zeros(shape)[tuple(keys)]
    if not result.size or not result.shape:
        return None
    return model(
        f"strided_slice {dtype} {index}",
        "STRIDED_SLICE",
        [tensor(shape.tolist(), dtype), constant(begin), constant(end), constant(stride)],
        [tensor(result.shape, dtype)],
        {**masks, "shrink_axis_mask": shrink},
    )


def arranged(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in ("int8", "int16", "float32"):
        for index in range(6):
            shape = rng.integers(1, 5, rng.integers(2, 6)).tolist()
            order = rng.permutation(len(shape)).tolist()
            yield model(
                f"transpose {dtype} {index}",
                "TRANSPOSE",
                [tensor(shape, dtype), constant(order)],
                [tensor([shape[axis] for axis in order], dtype)],
            )
    for dtype in (*EVERY, "uint8"):
        yield model(
            f"reverse {dtype}",
            "REVERSE_V2",
            [tensor((2, 3, 4), dtype), constant([-2])],
            [tensor((2, 3, 4), dtype)],
        )
        yield model(
            f"reverse two {dtype}",
            "REVERSE_V2",
            [tensor((2, 3, 4), dtype), constant([2, 1])],
            [tensor((2, 3, 4), dtype)],
        )
        for shape, wanted in (
            ((3, 1), (2, 3, 4)),
            ((), (2, 2)),
            ((1, 4), (3, 4)),
            ((2, 3), (2, 3)),
        ):
            yield model(
                f"broadcast {dtype} {shape}",
                "BROADCAST_TO",
                [tensor(shape or (1,), dtype), constant(wanted)],
                [tensor(wanted, dtype)],
            )


# Micro never sets what SPACE_TO_BATCH_ND pads with, so that it pads with whatever lies in memory;
# smidgen takes the zero point, as TensorFlow Lite does (test_space_to_batch_pads_with_real_zero).
def blocks(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in ("int8", "float32"):
        for block, shape in ((2, (1, 4, 6, 3)), (3, (2, 3, 6, 1)), (1, (1, 2, 2, 2))):
            deep = (shape[0], shape[1] // block, shape[2] // block, shape[3] * block**2)
            yield model(
                f"space_to_depth {dtype} {block}",
                "SPACE_TO_DEPTH",
                [tensor(shape, dtype)],
                [tensor(deep, dtype)],
                {"block_size": block},
            )
            yield model(
                f"depth_to_space {dtype} {block}",
                "DEPTH_TO_SPACE",
                [tensor(deep, dtype)],
                [tensor(shape, dtype)],
                {"block_size": block},
            )
        for index, (shape, block, margin) in enumerate(
            (
                ((1, 4, 6, 3), (2, 3), ((0, 0), (0, 0))),
                ((2, 3, 5, 2), (2, 2), ((1, 2), (0, 3))),
                ((1, 5, 3), (3,), ((2, 2),)),
                ((1, 2, 2, 1), (4, 4), ((1, 1), (2, 0))),
            )
        ):
            spatial = [n + sum(m) for n, m in zip(shape[1:], margin, strict=False)]
            small = [n // b for n, b in zip(spatial, block, strict=True)]
            dealt = (shape[0] * int(np.prod(block)), *small, *shape[1 + len(block) :])
            ends = (
                tensor(shape, dtype, 4 * (dtype == "int8")),
                tensor(dealt, dtype, 4 * (dtype == "int8")),
            )
            yield model(
                f"space_to_batch {dtype} {index}",
                "SPACE_TO_BATCH_ND",
                [ends[0], constant(block), constant(margin)],
                [ends[1]],
                micro=not np.any(margin),
            )
            yield model(
                f"batch_to_space {dtype} {index}",
                "BATCH_TO_SPACE_ND",
                [ends[1], constant(block), constant(margin)],
                [ends[0]],
            )


def reshaped(rng: np.random.Generator) -> Iterator[Model]:
    for dtype in ("int8", "int16", "float32"):
        yield model(
            f"expand_dims {dtype}",
            "EXPAND_DIMS",
            [tensor((2, 3), dtype), constant([1])],
            [tensor((2, 1, 3), dtype)],
        )
    for dtype in (*EVERY, "uint8"):
        yield model(
            f"squeeze {dtype}", "SQUEEZE", [tensor((2, 1, 3), dtype)], [tensor((2, 3), dtype)], {}
        )
        yield model(
            f"reshape {dtype}",
            "RESHAPE",
            [tensor((2, 1, 3), dtype), constant([3, 2])],
            [tensor((3, 2), dtype)],
            {},
        )
        yield model(
            f"shape {dtype}",
            "SHAPE",
            [tensor((2, 1, 3), dtype)],
            [tensor((3,), "int32")],
            {"out_type": 2},
        )
    for dtype in ("int8", "int32", "int64", "float32"):
        zero = 3 if dtype == "int8" else 0
        yield model(
            f"zeros_like {dtype}",
            "ZEROS_LIKE",
            [tensor((2, 3), dtype, zero)],
            [tensor((2, 3), dtype, zero)],
        )


def filled() -> Iterator[Model]:
    """Operators whose operands are all known; their outputs are still written."""
    for dtype in ("int8", "int32", "float32"):
        yield model(
            f"fill {dtype}", "FILL", [constant([2, 3]), constant(np.array(5), dtype)],
            [tensor((2, 3), dtype)], count=1,
        )  # fmt: skip
    sides = [constant([2, 1]), constant([3])]
    yield model("broadcast_args", "BROADCAST_ARGS", sides, [tensor((2,), "int32")], count=1)


def test_known_outputs_are_written() -> None:
    check(list(filled()))


@pytest.mark.parametrize("family", [joined, cut, padded, sliced, arranged, blocks, reshaped])
def test_movement_is_exact(family) -> None:
    check(list(family(np.random.default_rng(1))))


def test_space_to_batch_pads_with_real_zero() -> None:
    op = SpaceToBatch((2, 3), ((1, 0), (0, 2)))
    x = np.random.default_rng(0).integers(-128, 128, (2, 3, 4, 5)).astype(np.int8)
    given = Tensor("x", DType.INT8, x.shape, Quantization((0.5,), (-7,)))
    (kind,) = op.infer([given])
    result = Tensor("y", DType.INT8, kind.shape, given.quantization)
    (found,) = op.evaluate(Signature((given,), (result,)), [x])
    wide = np.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0)), constant_values=-7)
    phases = wide.reshape(2, 2, 2, 2, 3, 5).transpose(2, 4, 0, 1, 3, 5)
    np.testing.assert_array_equal(found, phases.reshape(12, 2, 2, 5))
