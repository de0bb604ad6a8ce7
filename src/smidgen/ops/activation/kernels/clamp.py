"""Clamps that no other op could take in."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.ops.support.lookup import lookup_of
from smidgen.ops.support.rescale import is_rescalable, rescale_call
from smidgen.targets.catalogue import Core

_SUFFIXES = {DType.INT8: "s8", DType.INT16: "s16"}


class ClampQuanta(Kernel):
    """Int8 or int16 quanta of one scale."""

    name = "clamp"
    op = Clamp

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Same type and scale on both sides."""
        del op
        source, output = signature.input(0), signature.output
        same = source.dtype is output.dtype and source.quantization == output.quantization
        return same and output.dtype in _SUFFIXES and output.quantization is not None

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A comparison with both bounds."""
        del core
        assert isinstance(op, Clamp)
        low, high = clamp_range(op.activation, signature.output)
        suffix = _SUFFIXES[signature.output.dtype]
        return clamp_call(self.name, suffix, "smg_clamp_t", signature, low, high)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """4 instructions for each element: beside the table of a lookup, none of its flash."""
        del op, core
        return Cost(4.0 * signature.output.elements)


class ClampFloat(Kernel):
    """float32."""

    name = "clamp_f32"
    op = Clamp

    def accepts(self, op: Op, signature: Signature) -> bool:
        """By type."""
        del op
        return signature.output.dtype is DType.FLOAT32

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A comparison with both bounds."""
        del core
        assert isinstance(op, Clamp)
        low, high = op.activation.value
        return clamp_call(self.name, "f32", "smg_clamp_f32_t", signature, float(low), float(high))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """8 instructions for each element."""
        del op, core
        return Cost(8.0 * signature.output.elements)


class ClampRescale(Kernel):
    """Quanta of another scale."""

    name = "clamp_rescale"
    op = Clamp

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Any integers with scales."""
        del op
        return is_rescalable(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Rescale, then clamp."""
        del core
        assert isinstance(op, Clamp)
        return rescale_call(self.name, signature, *clamp_range(op.activation, signature.output))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """20 instructions for each element."""
        del op, core
        return Cost(20.0 * signature.output.elements)


def clamp_call(
    kernel: str, suffix: str, params: str, signature: Signature, low: CValue, high: CValue
) -> KernelCall:
    """The call of a function of smg_clamp.h."""
    fields = (("count", signature.output.elements), ("low", low), ("high", high))
    return KernelCall(
        kernel,
        "smg_clamp.h",
        f"smg_clamp_{suffix}",
        CStruct(params, fields),
        (InputArg(0), OutputArg(0)),
        overlaps=(Overlap(0, 0),),
    )


KERNELS: tuple[Kernel, ...] = (ClampQuanta(), ClampFloat(), ClampRescale(), lookup_of(Clamp))
