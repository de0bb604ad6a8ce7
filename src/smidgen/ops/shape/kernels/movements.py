"""The kernel of all movements: strided copies, on a background where they do not cover all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.shape.arrange import BroadcastTo, DepthToSpace, SpaceToDepth, Transpose
from smidgen.ops.shape.batches import BatchToSpace, SpaceToBatch
from smidgen.ops.shape.movement import Movement
from smidgen.ops.shape.moves import Move, run_starts, table
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import MirrorPad, Pad
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.support.overlap import forward_distance
from smidgen.targets.catalogue import Core

MOST_AXES = 8
"""SMG_MOVE_AXES in smg_move.h."""
_MOST_RUNS = 1 << 16
"""Moves of more runs are not analysed for overlap: compiling would take long."""


class _MoveKernel(Kernel):
    """Any movement of whole bytes, in portable C."""

    name = "move"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Any type that is not packed, unless an axis too many is left."""
        assert isinstance(op, Movement)
        moves = op.moves(signature.input(0).shape)
        simple = all(len(item.axes) <= MOST_AXES for item in moves)
        return simple and signature.output.dtype.value.bits >= 8 and signature.output.elements > 0

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The moves as a table."""
        del core
        assert isinstance(op, Movement)
        x, y = signature.input(0), signature.output
        moves = move_table(op.moves(x.shape), x)
        fill = op.background(signature)
        arguments = (InputArg(0), OutputArg(0))
        if fill is None:
            near = _overlaps(op.moves(x.shape), x, y)
            return KernelCall(self.name, "smg_move.h", "smg_move", moves, arguments, overlaps=near)
        params = CStruct(
            "smg_fill_move_t",
            (
                ("elements", y.elements),
                ("width", y.dtype.numpy.itemsize),
                ("value", CArray(DType.UINT8, _bytes(fill, y))),
                ("move", moves),
            ),
        )
        return KernelCall("fill_move", "smg_fill_move.h", "smg_fill_move", params, arguments)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 20 instructions a run and 1.5 for each byte; the background is written first."""
        del core
        assert isinstance(op, Movement)
        x, y = signature.input(0), signature.output
        filled = 0.0 if op.background(signature) is None else 1.0 * y.nbytes
        return Cost(_instructions(op.moves(x.shape), x.dtype.numpy.itemsize) + filled)


def move_table(moves: Sequence[Move], x: Tensor) -> CStruct:
    """The parameters of `smg_move` for elements of `x`."""
    axes, rows = table(moves, x.dtype.numpy.itemsize)
    fields: tuple[tuple[str, CValue], ...] = (
        ("moves", len(moves)),
        ("axes", axes),
        ("table", CArray(DType.INT32, rows.reshape(-1), "source, destination, run; then axes")),
    )
    return CStruct("smg_move_t", fields)


def _overlaps(moves: Sequence[Move], x: Tensor, y: Tensor) -> tuple[Overlap, ...]:
    """How far the output may reach into the input, where it is written from start to end."""
    starts = run_starts(moves, y.elements)
    if starts is None or len(starts) > _MOST_RUNS:
        return ()
    width = x.dtype.numpy.itemsize
    run = y.nbytes // len(starts)
    later = np.minimum.accumulate(starts[::-1])[::-1][1:] * width
    unread = np.append(later, 2 * (x.nbytes + y.nbytes))
    return (Overlap(0, 0, ahead=forward_distance(unread, run)),)


def _bytes(value: Array, tensor: Tensor) -> Array:
    return np.frombuffer(value.astype(tensor.dtype.numpy).tobytes(), np.uint8)


def _instructions(moves: Sequence[Move], width: int) -> float:
    total = 0.0
    for item in moves:
        run = item.axes[-1][0] if item.axes and item.axes[-1][1:] == (1, 1) else 1
        runs = item.elements / max(run, 1)
        total += (6.0 if run * width <= 4 else 20.0 + 1.5 * run * width) * runs
    return total


class ReshapeMove(_MoveKernel):
    """A reshape that is no view, because its input is a constant."""

    op = Reshape


class SliceMove(_MoveKernel):
    """Any slice."""

    op = Slice


class TransposeMove(_MoveKernel):
    """Any transpose."""

    op = Transpose


class BroadcastMove(_MoveKernel):
    """Any broadcast."""

    op = BroadcastTo


class SpaceToDepthMove(_MoveKernel):
    """Any block size."""

    op = SpaceToDepth


class DepthToSpaceMove(_MoveKernel):
    """Any block size."""

    op = DepthToSpace


class SpaceToBatchMove(_MoveKernel):
    """Any block, any padding."""

    op = SpaceToBatch


class BatchToSpaceMove(_MoveKernel):
    """Any block, any crop."""

    op = BatchToSpace


class PadMove(_MoveKernel):
    """Any padding with a constant."""

    op = Pad


class MirrorPadMove(_MoveKernel):
    """Any mirrored padding."""

    op = MirrorPad


KERNELS: tuple[Kernel, ...] = (
    ReshapeMove(),
    SliceMove(),
    TransposeMove(),
    BroadcastMove(),
    SpaceToDepthMove(),
    DepthToSpaceMove(),
    SpaceToBatchMove(),
    BatchToSpaceMove(),
    PadMove(),
    MirrorPadMove(),
)
