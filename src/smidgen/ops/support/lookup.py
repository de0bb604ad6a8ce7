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
from smidgen.ops.support.unary import BYTES, Unary, interpolation_table
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


class InterpolatedLookup(Lookup):
    """int16 quanta in and out."""

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Both int16 and quantised."""
        del op
        tensors = (signature.input(0), signature.output)
        return all(t.dtype is DType.INT16 and t.quantization is not None for t in tensors)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Every 128th value."""
        del core
        assert isinstance(op, Unary)
        values = interpolation_table(op.real, signature)
        table = CArray(DType.INT16, values, "output of every 128th input")
        return KernelCall(
            self.name,
            "smg_lookup_s16.h",
            "smg_lookup_s16",
            CStruct("smg_lookup_s16_t", (("count", signature.output.elements), ("table", table))),
            (InputArg(0), OutputArg(0)),
            overlaps=(Overlap(0, 0),),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """12 instructions for each element."""
        del op, core
        return Cost(12.0 * signature.output.elements, flash_bytes=1026.0)


def interpolated_of(op: type[Op]) -> Kernel:
    """The int16 kernel of one op class."""
    name = f"{op.kind}_lookup_s16"
    made = type(f"{op.__name__}Interpolated", (InterpolatedLookup,), {"name": name, "op": op})
    kernel: Kernel = made()
    return kernel


def table_of(op: Op, signature: Signature) -> Array:
    """The output's byte for each byte of the input, uint8 [256]."""
    inputs = np.arange(256, dtype=np.uint8).view(signature.input(0).dtype.numpy)
    return op.evaluate(signature, [inputs])[0].view(np.uint8)


def lookup_of(op: type[Op]) -> Kernel:
    """The lookup kernel of one op class."""
    made = type(f"{op.__name__}Lookup", (Lookup,), {"name": f"{op.kind}_lookup", "op": op})
    kernel: Kernel = made()
    return kernel
