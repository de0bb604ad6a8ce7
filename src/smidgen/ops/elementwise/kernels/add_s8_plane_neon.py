"""The int8 sum as a plane, on AArch64 cores with Advanced SIMD (NEON)."""

from __future__ import annotations

from dataclasses import replace

from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.kernels.add_s8_plane import AddInt8Plane
from smidgen.ops.kernel import Cost, Kernel, KernelCall
from smidgen.targets.catalogue import Core

_LANES = 16


class AddInt8PlaneNeon(AddInt8Plane):
    """Sum of sixteen elements at a time."""

    name = "add_s8_plane_neon"
    requires = frozenset({"neon"})

    def accepts(self, op: Op, signature: Signature) -> bool:
        """What `add_s8_plane` takes, unless an operand of few elements is repeated."""
        fewest = min(signature.input(0).elements, signature.input(1).elements)
        alone = fewest == signature.output.elements
        return (alone or fewest >= _LANES) and super().accepts(op, signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The parameters of the portable kernel."""
        call = super().lower(op, signature, core)
        function = "smg_add_s8_plane_neon"
        return replace(call, kernel=self.name, header=f"{function}.h", function=function)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """Forty instructions for sixteen elements."""
        del op, core
        return Cost(2.5 * signature.output.elements + 30.0)


KERNELS: tuple[Kernel, ...] = (AddInt8PlaneNeon(),)
