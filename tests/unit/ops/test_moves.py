"""Strided copies: what they are folded to, and that their tables say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.core.dtypes import DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.index.gather import Gather, GatherNd, UpdateSlice
from smidgen.ops.index.ops import ArgMax, CumSum, Select
from smidgen.ops.reduce.ops import Mean
from smidgen.ops.resize.ops import ResizeNearest
from smidgen.ops.shape.arrange import BroadcastTo, DepthToSpace, SpaceToDepth, Transpose
from smidgen.ops.shape.batches import BatchToSpace, SpaceToBatch
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.moves import Move, apply, move, row_major, run_starts, table
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import MirrorPad, Pad
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.state.ops import AssignState, ReadState


def f32(*shape: int, dtype: DType = DType.FLOAT32) -> Tensor:
    return Tensor("x", dtype, shape)


def test_a_dense_copy_is_one_run() -> None:
    assert move((2, 1, 3), (3, 3, 1), (3, 3, 1)).axes == ((6, 1, 1),)
    assert move((1, 1), (7, 9), (2, 3)).axes == ()


def test_rows_of_a_matrix_are_one_axis_of_runs() -> None:
    axes, rows = table([move((4, 3), (5, 1), (3, 1), source=2)], element_bytes=2)
    assert axes == 1
    assert rows.tolist() == [[4, 0, 6, 4, 10, 6]]


@st.composite
def slices(draw: st.DrawFn) -> tuple[tuple[int, ...], Slice]:
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    parts = []
    for extent in shape:
        begin, last = draw(st.integers(0, extent - 1)), draw(st.integers(0, extent - 1))
        stride = draw(st.integers(1, 3)) * (1 if last >= begin else -1)
        parts.append((begin, abs(last - begin) // abs(stride) + 1, stride))
    begin, size, stride = zip(*parts, strict=True)
    return shape, Slice(begin, size, stride)


@given(slices())
@settings(max_examples=200, deadline=None)
def test_slices_are_numpys(case: tuple[tuple[int, ...], Slice]) -> None:
    shape, op = case
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    signature = Signature((f32(*shape),), (Tensor("y", DType.FLOAT32, op.size),))
    picks = [
        np.arange(size) * stride + begin
        for begin, size, stride in zip(op.begin, op.size, op.stride, strict=True)
    ]
    np.testing.assert_array_equal(op.evaluate(signature, [x])[0], x[np.ix_(*picks)])


@given(slices())
@settings(max_examples=100, deadline=None)
def test_run_starts_follow_the_moves(case: tuple[tuple[int, ...], Slice]) -> None:
    shape, op = case
    (item,) = op.moves(shape)
    elements = int(np.prod(op.size))
    starts = run_starts([item], elements)
    assert starts is not None
    source, found = np.arange(np.prod(shape)), np.zeros(elements, int)
    apply([item], source, found)
    runs = found.reshape(len(starts), -1)
    np.testing.assert_array_equal(runs[:, 0], starts)
    assert (np.diff(runs, axis=1) == 1).all()


def test_writes_out_of_order_have_no_runs() -> None:
    assert run_starts([Move(0, 0, ((2, 1, 3), (3, 2, 1)))], 6) is not None
    assert run_starts([Move(0, 0, ((2, 1, 1), (3, 2, 2)))], 6) is None
    assert run_starts([Move(0, 1, ((6, 1, 1),))], 6) is None


def test_steps_of_no_axes_are_none() -> None:
    assert row_major(()) == ()
    assert row_major((2, 3, 4)) == (12, 4, 1)


INT32 = Tensor("i", DType.INT32, (2,))
BAD: tuple[tuple[Op, tuple[Tensor, ...]], ...] = (
    (Slice((0,), (4,), (1,)), (f32(3),)),
    (Slice((2,), (2,), (-3,)), (f32(3),)),
    (Slice((0,), (1,), (0,)), (f32(3),)),
    (Slice((0, 0), (1, 1), (1, 1)), (f32(3),)),
    (Slice((0,), (2,), (1,), (0,)), (f32(3),)),
    (Transpose((0, 0)), (f32(2, 3),)),
    (BroadcastTo((3,)), (f32(2, 3),)),
    (BroadcastTo((2, 4)), (f32(3),)),
    (SpaceToDepth(2), (f32(1, 3, 4, 1),)),
    (DepthToSpace(2), (f32(1, 2, 2, 3),)),
    (SpaceToBatch((2,), ((0, 0),)), (f32(1, 3, 1),)),
    (SpaceToBatch((2, 2), ((0, 0),)), (f32(1, 4, 4, 1),)),
    (BatchToSpace((2, 2), ((0, 0), (0, 0))), (f32(3, 1, 1, 1),)),
    (BatchToSpace((2,), ((3, 3),)), (f32(2, 2, 1),)),
    (Pad((1,), (-1,)), (f32(3),)),
    (Pad((1, 1), (0, 0)), (f32(3),)),
    (MirrorPad((3,), (0,), True), (f32(3),)),
    (Reshape((4,)), (f32(3),)),
    (Concat(1), (f32(3), f32(3))),
    (Concat(0), (f32(3, 1), f32(3, 2))),
    (Concat(0), (f32(3), f32(3, dtype=DType.INT8))),
    (Pack(0), (f32(3), f32(2))),
    (Split(0, (1, 1)), (f32(3),)),
    (Unpack(1), (f32(3),)),
    (Gather(1), (f32(3), INT32)),
    (Gather(0), (f32(3), f32(2))),
    (GatherNd(), (f32(3), INT32)),
    (UpdateSlice(), (f32(3), f32(4), Tensor("i", DType.INT32, (1,)))),
    (Select(), (f32(3), f32(3), f32(3))),
    (ArgMax(1), (f32(3),)),
    (CumSum(1), (f32(3),)),
    (Mean((1,)), (f32(3),)),
    (Mean((1, 0)), (f32(3, 3),)),
    (ResizeNearest((0, 2)), (f32(1, 2, 2, 1),)),
    (ReadState(), (f32(3),)),
    (AssignState(), (f32(3), f32(3))),
)


@pytest.mark.parametrize(("op", "inputs"), BAD, ids=lambda value: str(value)[:60])
def test_operands_that_do_not_fit_are_named(op: Op, inputs: tuple[Tensor, ...]) -> None:
    with pytest.raises(GraphError):
        op.infer(inputs)
