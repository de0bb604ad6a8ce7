"""Kernels of Concat, Pack, Split and Unpack that copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import (
    Argument,
    CArray,
    Cost,
    CStruct,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
    View,
)
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.targets.catalogue import Core


class _JoinKernel(Kernel):
    """What joining and cutting share: a list of parts that alternate `outer` times."""

    function: str
    has_parts_in: bool

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Any type of whole bytes, any number of parts."""
        del op
        return signature.output.dtype.value.bits >= 8

    def _parts(self, signature: Signature) -> list[Tensor]:
        if not self.has_parts_in:
            return list(signature.outputs)
        return [signature.input(index) for index in range(len(signature.inputs))]

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Bytes of each part that lie together."""
        del core
        parts = self._parts(signature)
        outer = max(1, _outer(op, signature))
        sizes = np.array([part.nbytes // outer for part in parts], np.int32)
        params = CStruct(
            "smg_join_t",
            (("outer", outer), ("parts", len(parts)), ("bytes", CArray(DType.INT32, sizes))),
        )
        inputs: tuple[Argument, ...] = tuple(map(InputArg, range(len(signature.inputs))))
        outputs: tuple[Argument, ...] = tuple(map(OutputArg, range(len(signature.outputs))))
        # The many side comes last: it is the variable part of the macro.
        arguments = (*outputs, *inputs) if self.has_parts_in else (*inputs, *outputs)
        call = KernelCall(self.name, "smg_join.h", self.function, params, arguments)
        if not self.has_parts_in:
            return call
        call = replace(call, overlaps=_overlaps(sizes.tolist(), outer))
        return replace(call, **self._offers(parts)) if outer == 1 else call

    @staticmethod
    def _offers(parts: Sequence[Tensor]) -> dict[str, Any]:
        """Parts that follow each other may be computed in their places; constants are copied."""
        offers, offset = [], 0
        for index, part in enumerate(parts):
            if not part.is_constant:
                offers.append(View(("input", index), ("output", 0), offset))
            offset += part.nbytes
        return {"offers": tuple(offers), "idle_if_taken": len(offers) == len(parts)}

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 20 instructions a run, and 1.5 for each byte."""
        del core
        parts = self._parts(signature)
        runs = _outer(op, signature) * len(parts)
        return Cost(20.0 * runs + 1.5 * sum(part.nbytes for part in parts))


def _overlaps(sizes: Sequence[int], outer: int) -> tuple[Overlap, ...]:
    """Joining goes forwards: a part may lie where it is joined to, or above, and not below.

    Part i is read in round r at r * size[i], when r * total + what comes before it is written.
    """
    total, before, found = sum(sizes), 0, []
    for index, size in enumerate(sizes):
        found.append(Overlap(0, index, ahead=-((outer - 1) * (total - size) + before)))
        before += size
    return tuple(found)


def _outer(op: Op, signature: Signature) -> int:
    assert isinstance(op, (Concat, Pack, Split, Unpack))
    return op.outer(signature)


class ConcatCopy(_JoinKernel):
    """Concat of any type along any axis."""

    name = "concat"
    op = Concat
    function = "smg_concat"
    has_parts_in = True


class PackCopy(_JoinKernel):
    """Pack of any type along any axis."""

    name = "pack"
    op = Pack
    function = "smg_concat"
    has_parts_in = True


class SplitCopy(_JoinKernel):
    """Split of any type along any axis."""

    name = "split"
    op = Split
    function = "smg_split"
    has_parts_in = False


class UnpackCopy(_JoinKernel):
    """Unpack of any type along any axis."""

    name = "unpack"
    op = Unpack
    function = "smg_split"
    has_parts_in = False


KERNELS: tuple[Kernel, ...] = (ConcatCopy(), PackCopy(), SplitCopy(), UnpackCopy())
