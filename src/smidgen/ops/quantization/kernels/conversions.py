"""Quantise, requantise, dequantise, cast."""

from __future__ import annotations

from collections.abc import Mapping

from smidgen.core.dtypes import DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
)
from smidgen.ops.quantization.ops import Cast, Dequantize, Quantize
from smidgen.ops.support.broadcast import elementwise_overlaps
from smidgen.ops.support.lookup import lookup_of
from smidgen.ops.support.rescale import RESCALED, is_rescalable, rescale_call
from smidgen.targets.catalogue import Core

_CASTS: Mapping[DType, str] = {
    DType.BOOL: "b",
    **RESCALED,
    DType.UINT16: "u16",
    DType.UINT32: "u32",
    DType.INT64: "s64",
    DType.FLOAT32: "f32",
}


class Requantize(Kernel):
    """Quanta to quanta of another type or scale."""

    name = "requantize"
    op = Quantize

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Integers of 8, 16 and 32 bits with scales."""
        del op
        return is_rescalable(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A multiplier, saturated to the output's type."""
        del op, core
        return rescale_call(self.name, signature, *signature.output.dtype.range)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """20 instructions for each element."""
        del op, core
        return Cost(20.0 * signature.output.elements)


class QuantizeFloat(Kernel):
    """float32 to quanta."""

    name = "quantize_f32"
    op = Quantize

    def accepts(self, op: Op, signature: Signature) -> bool:
        """To integers of 8, 16 and 32 bits with one scale."""
        del op
        source, output = signature.input(0), signature.output
        return source.dtype is DType.FLOAT32 and output.dtype in RESCALED

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A division for each element."""
        del op, core
        output = signature.output
        low, high = output.dtype.range
        fields: tuple[tuple[str, CValue], ...] = (
            ("zero_point", output.quant.zero_point),
            ("low", low),
            ("high", high),
            ("scale", float(output.quant.scale)),
        )
        function = f"smg_quantize_f32_{RESCALED[output.dtype]}"
        return _call(self.name, "smg_quantize_f32", function, fields, signature)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 30 instructions for each element with an FPU, far more without."""
        del op
        each = 30.0 if "fpu" in core.features else 300.0
        return Cost(each * signature.output.elements)


class DequantizeToFloat(Kernel):
    """Quanta to float32."""

    name = "dequantize"
    op = Dequantize

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Integers of 8, 16 and 32 bits with one scale."""
        del op
        source = signature.input(0)
        quant = source.quantization
        return source.dtype in RESCALED and quant is not None and len(quant.scales) == 1

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A product for each element."""
        del op, core
        quant = signature.input(0).quant
        fields: tuple[tuple[str, CValue], ...] = (
            ("zero_point", quant.zero_point),
            ("scale", float(quant.scale)),
        )
        function = f"smg_dequantize_{RESCALED[signature.input(0).dtype]}"
        return _call(self.name, "smg_quantize_f32", function, fields, signature, "smg_dequantize_t")

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 10 instructions for each element with an FPU, more without."""
        del op
        each = 10.0 if "fpu" in core.features else 150.0
        return Cost(each * signature.output.elements)


class CastNumbers(Kernel):
    """Any type to any other."""

    name = "cast"
    op = Cast

    def accepts(self, op: Op, signature: Signature) -> bool:
        """All types but int4."""
        del op
        return signature.input(0).dtype in _CASTS and signature.output.dtype in _CASTS

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """A conversion for each element."""
        del op, core
        source, output = signature.input(0).dtype, signature.output.dtype
        function = f"smg_cast_{_CASTS[source]}_{_CASTS[output]}"
        return _call(self.name, "smg_cast", function, (), signature)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """10 instructions for each element."""
        del op, core
        return Cost(10.0 * signature.output.elements)


def _call(
    kernel: str,
    stem: str,
    function: str,
    fields: tuple[tuple[str, CValue], ...],
    signature: Signature,
    params: str = "",
) -> KernelCall:
    """A call on all elements, in place where C allows it."""
    return KernelCall(
        kernel,
        f"{stem}.h",
        function,
        CStruct(params or f"{stem}_t", (("count", signature.output.elements), *fields)),
        (InputArg(0), OutputArg(0)),
        overlaps=elementwise_overlaps(signature, 1),
    )


KERNELS: tuple[Kernel, ...] = (
    Requantize(),
    QuantizeFloat(),
    DequantizeToFloat(),
    CastNumbers(),
    lookup_of(Quantize),
)
