"""Kernels of the state ops: copies."""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg, Overlap, View
from smidgen.ops.state.ops import AssignState, Copy, ReadState
from smidgen.targets.catalogue import Core


class _CopyKernel(Kernel):
    """One memmove of the whole state."""

    name = "copy"

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Every type."""
        del op, signature
        return True

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About an instruction for each byte."""
        del op, core
        return Cost(30.0 + signature.input(0).nbytes)


class ReadCopy(_CopyKernel):
    """The state, copied out, unless it may stand for itself."""

    op = ReadState

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """State to output, or the state itself."""
        del op, core
        itself = View(("output", 0), ("input", 0))
        return replace(_copied(self.name, signature, 0), offers=(itself,), idle_if_taken=True)


class PlainCopy(_CopyKernel):
    """A copy of what another op overwrites."""

    op = Copy

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Input to output."""
        del op, core
        return _copied(self.name, signature, 0)


class AssignCopy(_CopyKernel):
    """The value, copied into the state."""

    op = AssignState

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Value to output, which is the state, unless the value was computed there."""
        del op, core
        size_bytes = signature.input(0).nbytes
        return replace(
            _copied(self.name, signature, 1),
            overlaps=(Overlap(0, 1, ahead=size_bytes, behind=-size_bytes),),
            views=(View(("output", 0), ("input", 0)),),
            offers=(View(("input", 1), ("input", 0)),),
            idle_if_taken=True,
        )


def _copied(kernel: str, signature: Signature, index: int) -> KernelCall:
    """Input `index`, byte by byte, to the output."""
    size = CStruct("smg_copy_t", (("bytes", signature.input(index).nbytes),))
    arguments = (InputArg(index), OutputArg(0))
    return KernelCall(kernel, "smg_copy.h", "smg_copy", size, arguments)


KERNELS: tuple[Kernel, ...] = (ReadCopy(), AssignCopy(), PlainCopy())
