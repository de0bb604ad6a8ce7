"""The int8 sum on Arm cores with MVE (Helium)."""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.kernels.add_s8 import AddInt8
from smidgen.ops.elementwise.ops import AddScaling
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.targets.catalogue import Core


class AddInt8Mve(AddInt8):
    """Sum of four elements at a time, where no plane gives the same (see AddInt8Plane)."""

    name = "add_s8_mve"
    requires = frozenset({"mve"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """As in portable C, and nothing is shifted to the left."""
        if not super().accepts(op, signature):
            return False
        scaling = AddScaling.of(signature)
        return all(part.shift <= 0 for part in (scaling.left, scaling.right, scaling.output))

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The parameters of the portable kernel."""
        call = super().lower(op, signature, core)
        return replace(call, kernel=self.name, header="smg_add_s8_mve.h", function="smg_add_s8_mve")

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 11 instructions for each element; those of a plane, in vectors, are fewer."""
        del op, core
        return Cost(11.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (AddInt8Mve(),)
