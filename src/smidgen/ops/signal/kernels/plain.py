"""A kernel that is one C function with a struct of numbers: what most signal ops need."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    Argument,
    Cost,
    CStruct,
    CValue,
    Kernel,
    KernelCall,
    Overlap,
    View,
)
from smidgen.targets.catalogue import Core

Fields = tuple[tuple[str, CValue], ...]


class PlainKernel(Kernel):
    """Calls `function` of header `function`.h; `fields` makes the numbers."""

    arguments: ClassVar[tuple[Argument, ...]]
    fields: ClassVar[Callable[..., Fields]]
    header: ClassVar[str] = ""
    views: ClassVar[tuple[View, ...]] = ()
    in_place: ClassVar[bool] = False
    instructions: ClassVar[float] = 20.0
    """Expected for each element of the largest operand."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """What the op's own shape rule lets through."""
        del op, signature
        return True

    def function(self, signature: Signature) -> str:
        """The C function."""
        del signature
        return f"smg_{self.name}"

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The numbers, and the operands as arguments."""
        del core
        header = f"smg_{self.header or self.name}"
        return KernelCall(
            self.name,
            f"{header}.h",
            self.function(signature),
            CStruct(f"{header}_t", type(self).fields(op, signature)),
            self.arguments,
            overlaps=(Overlap(0, 0),) if self.in_place else (),
            views=self.views,
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """By the largest operand."""
        del op, core
        tensors = [*signature.inputs, *signature.outputs]
        return Cost(self.instructions * max(t.elements for t in tensors if t is not None) + 40.0)


KERNELS: tuple[Kernel, ...] = ()
