"""Kernels of Gather, GatherNd and UpdateSlice."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.index.gather import Gather, GatherNd, UpdateSlice
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
from smidgen.ops.shape.kernels.movements import move_table
from smidgen.ops.shape.moves import move, row_major
from smidgen.targets.catalogue import Core

_WIDTHS = {DType.INT32: "s32", DType.INT64: "s64"}


def _table(values: list[int]) -> CArray:
    return CArray(DType.INT32, np.array(values, np.int32))


class GatherCopy(Kernel):
    """Any type; positions of 32 or 64 bits."""

    name = "gather"
    op = Gather

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Elements of whole bytes."""
        del op
        return signature.output.dtype.value.bits >= 8

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Both tensors as [batch, outer, axis, inner]."""
        del core
        assert isinstance(op, Gather)
        x, positions = signature.input(0), signature.input(1)
        batch, outer, extent, inner = op.split(x.shape)
        fields: tuple[tuple[str, CValue], ...] = (
            ("batches", batch),
            ("outer", outer),
            ("extent", extent),
            ("positions", positions.elements // max(batch, 1)),
            ("bytes", x.dtype.nbytes(inner)),
        )
        return KernelCall(
            self.name,
            "smg_gather.h",
            f"smg_gather_{_WIDTHS[positions.dtype]}",
            CStruct("smg_gather_t", fields),
            (InputArg(0), InputArg(1), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 25 instructions a position, and one a byte."""
        del op, core
        return Cost(25.0 * signature.input(1).elements + signature.output.nbytes)


class GatherNdCopy(Kernel):
    """Any type; coordinates of 32 or 64 bits."""

    name = "gather_nd"
    op = GatherNd

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Elements of whole bytes."""
        del op
        return signature.output.dtype.value.bits >= 8

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Extent and step, in bytes, of each coordinate."""
        del op, core
        x, positions = signature.input(0), signature.input(1)
        depth = positions.shape[-1]
        width = x.dtype.numpy.itemsize
        steps = [step * width for step in row_major(x.shape)[:depth]]
        axes = [value for pair in zip(x.shape, steps, strict=False) for value in pair]
        fields: tuple[tuple[str, CValue], ...] = (
            ("slices", math.prod(positions.shape[:-1])),
            ("depth", depth),
            ("bytes", x.dtype.nbytes(math.prod(x.shape[depth:]))),
            ("axes", _table(axes)),
        )
        return KernelCall(
            self.name,
            "smg_gather_nd.h",
            f"smg_gather_nd_{_WIDTHS[positions.dtype]}",
            CStruct("smg_gather_nd_t", fields),
            (InputArg(0), InputArg(1), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 15 instructions a coordinate, and one a byte."""
        del op, core
        return Cost(15.0 * signature.input(1).elements + signature.output.nbytes)


class UpdateSliceCopy(Kernel):
    """Any type; begins of 32 or 64 bits. x may be overwritten in place."""

    name = "update_slice"
    op = UpdateSlice

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Elements of whole bytes."""
        del op
        return signature.output.dtype.value.bits >= 8

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The copy of the update, and what a step of each begin is worth."""
        del op, core
        x, update, begin = (signature.input(index) for index in range(3))
        steps = row_major(x.shape)
        width = x.dtype.numpy.itemsize
        axes = [
            value
            for extent, size, step in zip(x.shape, update.shape, steps, strict=True)
            for value in (extent - size, step * width)
        ]
        written = move(update.shape, row_major(update.shape), steps)
        fields: tuple[tuple[str, CValue], ...] = (
            ("bytes", x.nbytes),
            ("rank", len(x.shape)),
            ("axes", _table(axes)),
            ("move", move_table([written], update)),
        )
        return KernelCall(
            self.name,
            "smg_update_slice.h",
            f"smg_update_slice_{_WIDTHS[begin.dtype]}",
            CStruct("smg_update_slice_t", fields),
            (InputArg(0), InputArg(1), InputArg(2), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About one instruction a byte."""
        del op, core
        return Cost(100.0 + signature.output.nbytes + 1.5 * signature.input(1).nbytes)


KERNELS: tuple[Kernel, ...] = (GatherCopy(), GatherNdCopy(), UpdateSliceCopy())
