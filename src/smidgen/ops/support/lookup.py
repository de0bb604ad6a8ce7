"""One kernel for every function of one 8-bit element: a table that the reference fills."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.support.unary import BYTES
from smidgen.targets.catalogue import Core


class Lookup(Kernel):
    """8-bit quanta in and out."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Both 8 bits wide and quantised."""
        del op
        tensors = (signature.input(0), signature.output)
        return all(t.dtype in BYTES and t.quantization is not None for t in tensors)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The table, indexed by the element's bits."""
        del core
        table = CArray(DType.UINT8, table_of(op, signature), "output of each input byte")
        return KernelCall(
            self.name,
            "smg_lookup.h",
            "smg_lookup",
            CStruct("smg_lookup_t", (("count", signature.output.elements), ("table", table))),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """5 instructions for each element."""
        del op, core
        return Cost(5.0 * signature.output.elements, flash_bytes=256.0)


def table_of(op: Op, signature: Signature) -> Array:
    """The output's byte for each byte of the input, uint8 [256]."""
    inputs = np.arange(256, dtype=np.uint8).view(signature.input(0).dtype.numpy)
    return op.evaluate(signature, [inputs])[0].view(np.uint8)


def lookup_of(op: type[Op]) -> Kernel:
    """The lookup kernel of one op class."""
    made = type(f"{op.__name__}Lookup", (Lookup,), {"name": f"{op.kind}_lookup", "op": op})
    kernel: Kernel = made()
    return kernel
