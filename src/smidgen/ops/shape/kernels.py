"""Kernels of the shape ops; most of them need no code."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import Cost, Kernel, KernelCall, View
from smidgen.ops.shape.ops import Reshape
from smidgen.targets.catalogue import Core


class ReshapeView(Kernel):
    """A reshape is the same bytes under another name."""

    name = "view"
    op = Reshape

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Every reshape."""
        del op, signature
        return True

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """No call: the output lies where the input does."""
        del op, signature, core
        return KernelCall(self.name, views=(View(("output", 0), ("input", 0)),))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Nothing."""
        del op, signature, core
        return Cost(0.0)


KERNELS: tuple[Kernel, ...] = (ReshapeView(),)
