"""Quanta of one type and scale as quanta of another: the reference and its kernel call."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier, wrap32
from smidgen.graph.op import Signature
from smidgen.ops.kernel import CStruct, InputArg, KernelCall, OutputArg
from smidgen.ops.support.broadcast import elementwise_overlaps
from smidgen.ops.support.unary import centred

RESCALED: Mapping[DType, str] = {
    DType.INT8: "s8",
    DType.UINT8: "u8",
    DType.INT16: "s16",
    DType.INT32: "s32",
}


def rescale_multiplier(signature: Signature) -> Multiplier:
    """Input scale / output scale."""
    return quantize_multiplier(signature.input(0).quant.scale / signature.output.quant.scale)


def rescaled(signature: Signature, x: Array) -> Array:
    """Output quanta of input quanta, before any clamp."""
    factor = rescale_multiplier(signature)
    scaled = multiply(wrap32(centred(x, signature.input(0))), factor.mantissa, factor.shift)
    return np.asarray(wrap32(scaled + signature.output.quant.zero_point))


def is_rescalable(signature: Signature) -> bool:
    """Whether smg_rescale.h serves these types."""
    tensors = (signature.input(0), signature.output)
    return all(t.dtype in RESCALED and t.quantization is not None for t in tensors)


def rescale_call(kernel: str, signature: Signature, low: int, high: int) -> KernelCall:
    """The call that rescales and clamps to `low` and `high`."""
    source, output = signature.input(0), signature.output
    factor = rescale_multiplier(signature)
    params = CStruct(
        "smg_rescale_t",
        (
            ("count", output.elements),
            ("zero_point", source.quant.zero_point),
            ("out_zero_point", output.quant.zero_point),
            ("mantissa", factor.mantissa),
            ("shift", factor.shift),
            ("low", low),
            ("high", high),
        ),
    )
    return KernelCall(
        kernel,
        "smg_rescale.h",
        f"smg_rescale_{RESCALED[source.dtype]}_{RESCALED[output.dtype]}",
        params,
        (InputArg(0), OutputArg(0)),
        overlaps=elementwise_overlaps(signature, 1),
    )
