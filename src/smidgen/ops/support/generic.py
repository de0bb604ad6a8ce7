"""What the kernels that serve every type share: which C function, and the structs of smg_*.h.

A generic kernel takes int8, int16 or float32 activations with int8, int4 or float32 weights, any
batch, and weights that are constant or computed. Faster kernels serve the common cases.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.op import Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.kernel import CArray, CStruct, CValue, InputArg, KernelCall, OutputArg, Overlap
from smidgen.ops.support.activation import Activation, clamp_range
from smidgen.ops.support.lowering import multiplier_tables, wrapped_int32
from smidgen.ops.support.requantize import Multipliers, is_wide
from smidgen.ops.support.window import Padding

QUANTA_SUFFIXES: Mapping[tuple[DType, DType], str] = {
    (DType.INT8, DType.INT8): "q8",
    (DType.INT8, DType.INT4): "q8_w4",
    (DType.INT16, DType.INT8): "q16",
}
REAL_SUFFIXES: Mapping[DType, str] = {
    DType.FLOAT32: "f32",
    DType.INT8: "f32_w8",
    DType.INT4: "f32_w4",
}


def accepts_quanta(signature: Signature) -> bool:
    """Integer activations and weights with one weight zero point and a constant bias."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    return (
        (x.dtype, weights.dtype) in QUANTA_SUFFIXES
        and output.dtype is x.dtype
        and all(tensor.quantization is not None for tensor in (x, weights, output))
        and len(set(weights.quant.zero_points)) == 1
        and _has_fixed_bias(signature, DType.INT16, DType.INT32, DType.INT64)
        and _shifts_fit(x, weights, output)
    )


def _shifts_fit(x: Tensor, weights: Tensor, output: Tensor) -> bool:
    """Whether no requantisation shifts by more bits than its accumulator leaves."""
    largest = x.quant.scale * max(weights.quant.scales) / output.quant.scale
    return largest < 2.0 ** (14 if x.dtype is DType.INT16 else 30)


def accepts_real(signature: Signature) -> bool:
    """Float activations; weights float or quantised with one zero point; a constant bias."""
    x, weights, output = signature.input(0), signature.input(1), signature.output
    if x.dtype is not DType.FLOAT32 or output.dtype is not DType.FLOAT32:
        return False
    if weights.dtype not in REAL_SUFFIXES or not _has_fixed_bias(signature, DType.FLOAT32):
        return False
    if weights.dtype is DType.FLOAT32:
        return True
    return weights.quantization is not None and len(set(weights.quant.zero_points)) == 1


def _has_fixed_bias(signature: Signature, *dtypes: DType) -> bool:
    bias = signature.optional(2)
    return bias is None or (bias.is_constant and bias.dtype in dtypes)


def quanta_function(stem: str, signature: Signature) -> str:
    """The C function of `stem` for the types of `signature`."""
    x, weights = signature.input(0), signature.input(1)
    wide = "_wide" if is_wide(x, signature.optional(2)) else ""
    return f"{stem}_{QUANTA_SUFFIXES[x.dtype, weights.dtype]}{wide}"


def real_function(stem: str, signature: Signature) -> str:
    """The C function of `stem` for the weights of `signature`."""
    return f"{stem}_{REAL_SUFFIXES[signature.input(1).dtype]}"


def window_struct(
    x: Tensor,
    output: Tensor,
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
) -> CStruct:
    """`smg_window_t`: the geometry of a window over image `x`."""
    return window_over((x.shape, output.shape), window, stride, padding, dilation)


def window_over(
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    dilation: tuple[int, int] = (1, 1),
) -> CStruct:
    """The same from the `shapes` of image and output."""
    x, output = shapes
    fields: tuple[tuple[str, CValue], ...] = (
        ("batches", x[0]),
        ("in_rows", x[1]),
        ("in_cols", x[2]),
        ("in_channels", x[3]),
        ("out_rows", output[1]),
        ("out_cols", output[2]),
        ("win_rows", window[0]),
        ("win_cols", window[1]),
        ("stride_rows", stride[0]),
        ("stride_cols", stride[1]),
        ("dilation_rows", dilation[0]),
        ("dilation_cols", dilation[1]),
        ("top", padding.top),
        ("left", padding.left),
    )
    return CStruct("smg_window_t", fields)


def finish_struct(
    signature: Signature,
    multipliers: Multipliers,
    activation: Activation,
    wide: bool | None = None,
) -> CStruct:
    """`smg_finish_t`: bias, requantisation and clamp of an integer layer.

    `wide` says whether accumulators have 64 bits; by default the rule of `is_wide` does.
    """
    output, bias = signature.output, signature.optional(2)
    low, high = clamp_range(activation, output)
    if wide is None:
        wide = is_wide(signature.input(0), bias)
    narrow_table = wide_table = None
    if bias is not None and wide:
        wide_table = CArray(DType.INT64, bias.values.astype(np.int64), "bias")
    elif bias is not None:
        narrow_table = CArray(DType.INT32, wrapped_int32(bias.values.astype(np.int64)), "bias")
    fields: tuple[tuple[str, CValue], ...] = (
        ("per_channel", int(np.size(multipliers.mantissas) > 1)),
        ("zero_point", output.quant.zero_point),
        ("low", low),
        ("high", high),
        ("bias", narrow_table),
        ("wide_bias", wide_table),
        *multiplier_tables(multipliers),
    )
    return CStruct("smg_finish_t", fields)


def real_struct(signature: Signature, activation: Activation) -> CStruct:
    """`smg_real_t`: scale, bias and clamp of a float layer."""
    weights, bias = signature.input(1), signature.optional(2)
    low, high = activation.value
    scales: tuple[float, ...] = ()
    zero_point = 0
    if weights.dtype is not DType.FLOAT32:
        scales, zero_point = weights.quant.scales, weights.quant.zero_point
    fields: tuple[tuple[str, CValue], ...] = (
        ("low", float(low)),
        ("high", float(high)),
        ("per_channel", int(len(scales) > 1)),
        ("weight_zero_point", zero_point),
        ("scales", CArray(DType.FLOAT32, np.array(scales), "weight scales") if scales else None),
        ("bias", None if bias is None else CArray(DType.FLOAT32, bias.values, "bias")),
    )
    return CStruct("smg_real_t", fields)


def zero_point_fields(signature: Signature) -> tuple[tuple[str, CValue], ...]:
    """The zero points of input and weights."""
    return (
        ("zero_point", signature.input(0).quant.zero_point),
        ("weight_zero_point", signature.input(1).quant.zero_point),
    )


def call(
    kernel: str, header: str, function: str, params: CStruct, overlaps: tuple[Overlap, ...] = ()
) -> KernelCall:
    """A call with input, weights and output as arguments."""
    arguments = (InputArg(0), InputArg(1), OutputArg(0))
    return KernelCall(kernel, header, function, params, arguments, overlaps=overlaps)
