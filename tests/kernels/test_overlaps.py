"""Kernels that move, reduce and pick keep their promises about memory: guards, and overlaps.

Each case runs with guard bytes around its operands, and with its output over its input at the
largest distance that the kernel allows, and at smaller ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kernels.harness import Case, check
from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.index.gather import Gather, GatherNd, UpdateSlice
from smidgen.ops.index.ops import ArgMax, CumSum, Select
from smidgen.ops.reduce.ops import Mean, ReduceAll, ReduceMax, ReduceMin, Sum
from smidgen.ops.registry import kernels
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest
from smidgen.ops.shape.arrange import BroadcastTo, DepthToSpace, SpaceToDepth, Transpose
from smidgen.ops.shape.batches import BatchToSpace, SpaceToBatch
from smidgen.ops.shape.join import Concat, Pack
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import MirrorPad, Pad
from smidgen.ops.shape.slicing import Slice
from smidgen.targets.catalogue import core

QUANT = Quantization((0.5,), (-3,))
BYTES = (DType.INT8, DType.INT16, DType.FLOAT32, DType.INT64)
Shapes = tuple[tuple[int, ...], ...]

MOVEMENTS: tuple[tuple[Op, Shapes], ...] = (
    (Slice((1, 2, 0), (2, 2, 3), (1, 1, 1)), ((3, 5, 4),)),
    (Slice((2, 4, 3), (3, 2, 2), (-1, -2, -1)), ((3, 5, 4),)),
    (Slice((0, 1), (4, 3), (2, 3)), ((8, 9),)),
    (Slice((1, 0, 1), (1, 5, 2), (1, 1, 1), (0,)), ((3, 5, 4),)),
    (Transpose((1, 0, 2)), ((3, 5, 2),)),
    (Transpose((2, 1, 0)), ((3, 2, 5),)),
    (BroadcastTo((2, 3, 4)), ((3, 1),)),
    (SpaceToDepth(2), ((1, 4, 6, 3),)),
    (DepthToSpace(3), ((2, 2, 1, 18),)),
    (SpaceToBatch((2, 3), ((1, 0), (0, 2))), ((1, 3, 4, 2),)),
    (BatchToSpace((2, 2), ((1, 0), (0, 1))), ((4, 2, 3, 2),)),
    (Pad((1, 0, 2), (0, 3, 1)), ((2, 3, 2),)),
    (MirrorPad((1, 0, 2), (0, 2, 1), True), ((2, 3, 3),)),
    (Reshape((6,)), ((2, 3),)),
    (ResizeNearest((5, 3)), ((1, 3, 4, 3),)),
    (Concat(0), ((3, 2), (1, 2), (4, 2))),
    (Concat(1), ((2, 3, 2), (2, 1, 2))),
    (Pack(1), ((3, 2), (3, 2))),
)
REDUCTIONS = tuple(
    (op(axes), ((2, 3, 4),))
    for op in (Mean, Sum, ReduceMax, ReduceMin)
    for axes in ((1,), (2,), (0, 1), (0, 2), (0, 1, 2))
)


def graph_of(op: Op, shapes: Shapes, dtypes: tuple[DType, ...]) -> Graph:
    build = GraphBuilder("single")
    names = [
        build.input(f"x{i}", dtype, shape, QUANT if dtype is DType.INT8 else None)
        for i, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True))
    ]
    narrow = dtypes[-1] in (DType.INT8, DType.INT16)
    return build.finish(build.add(op, names, QUANT if narrow else None))


def values(rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> np.ndarray:
    if dtype is DType.BOOL:
        return rng.integers(0, 2, shape).astype(bool)
    if dtype is DType.FLOAT32:
        return rng.standard_normal(shape).astype(np.float32)
    return rng.integers(-120, 120, shape).astype(dtype.numpy)


def cases_of(
    rng: np.random.Generator, op: Op, shapes: Shapes, dtypes: tuple[DType, ...]
) -> Iterator[Case]:
    graph = graph_of(op, shapes, dtypes)
    node = graph.nodes[0]
    signature = graph.signature(node)
    given = tuple(map(values, [rng] * len(shapes), dtypes, shapes))
    for kernel in kernels()[type(op)]:
        if not kernel.accepts(op, signature):
            continue
        call = kernel.lower(op, signature, core("cortex-m4f"))
        if call.is_free:
            continue
        note = f"{op} {[dtype.label for dtype in dtypes]}"
        yield Case(graph, kernel, given, note=note)
        rule = next((rule for rule in call.overlaps if rule.input == 0), None)
        if rule is None:
            continue
        width = dtypes[0].numpy.itemsize
        distances = {0} if rule.in_place else set()
        if rule.ahead is not None:
            most = min(rule.ahead, signature.input(0).nbytes) // width * width
            distances |= {most, most - width, most - 3 * width, min(most, 0)}
        for distance in sorted(distances):
            yield Case(graph, kernel, given, distance, f"{note} at {distance}")


def all_cases() -> list[Case]:
    rng = np.random.default_rng(0)
    found: list[Case] = []
    for op, shapes in MOVEMENTS:
        for dtype in BYTES:
            found += cases_of(rng, op, shapes, (dtype,) * len(shapes))
    for op, shapes in REDUCTIONS:
        for dtype in (DType.INT8, DType.FLOAT32):
            found += cases_of(rng, op, shapes, (dtype,))
    found += cases_of(rng, ReduceAll((1,)), ((3, 4),), (DType.BOOL,))
    position = DType.INT32
    for dtype in (DType.INT8, DType.FLOAT32):
        found += cases_of(rng, CumSum(1, False, True), ((2, 3, 4),), (dtype,))
        found += cases_of(rng, ArgMax(1), ((2, 3, 4),), (dtype,))
        found += cases_of(rng, ResizeBilinear((5, 3)), ((1, 3, 4, 3),), (dtype,))
        found += cases_of(rng, Gather(1), ((2, 3, 4), (5,)), (dtype, position))
        found += cases_of(rng, GatherNd(), ((2, 3, 4), (5, 2)), (dtype, position))
        found += cases_of(rng, UpdateSlice(), ((4, 5), (2, 3), (2,)), (dtype, dtype, DType.INT64))
        found += cases_of(rng, Select(), ((2, 3, 1), (2, 3, 4), (3, 4)), (DType.BOOL, dtype, dtype))
    return found


def test_operands_are_kept_apart_and_may_overlap_as_promised() -> None:
    cases = all_cases()
    assert sum(case.distance is not None for case in cases) > 100
    check(cases)


@pytest.mark.parametrize("board", ["nucleo-l073rz", "nucleo-l4r5zi", "esp32-c3"])
def test_the_same_on_emulated_boards(board: str) -> None:
    check(all_cases(), board)
