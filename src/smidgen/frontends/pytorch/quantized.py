"""Programs that PyTorch quantised (pt2e): quantize and dequantize around float operators.

They become Dequantize and Quantize as in an ONNX QDQ model, and what stands between them becomes
ops on quanta in the same way. Weights that are dequantised constants keep their unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from smidgen.frontends.onnx.values import Constant, Operand
from smidgen.frontends.pytorch.arithmetic import batched_add, linear
from smidgen.frontends.pytorch.call import Call
from smidgen.frontends.pytorch.translation import Translation, as_array, onnx_call, results_of
from smidgen.frontends.pytorch.windows import convolution

_PREFIX = "quantized_decomposed."


def is_quantization(operator: str) -> bool:
    """Whether an operator quantises or dequantises."""
    return operator.startswith(_PREFIX)


def linear_of(kind: str) -> Translation:
    """The translation of (de)quantisation with one scale, or one for each slice of an axis."""

    def lower(call: Call) -> Operand:
        _check_range(call, kind)
        arguments = call.arguments
        scales = as_array(arguments.get("scale", arguments.get("scales"))).astype(np.float32)
        given = arguments.get("zero_point", arguments.get("zero_points"))
        zeros = _zero_points(call, given)
        axis = {"axis": int(arguments["axis"])} if "axis" in arguments else {}
        (result,) = results_of(onnx_call(call, kind, [arguments["input"], scales, zeros], axis))
        assert result is not None
        return result

    return lower


def _zero_points(call: Call, given: Any) -> Any:
    values = np.zeros((), np.int64) if given is None else as_array(given)
    return values.astype(np.uint8 if str(call.arguments["dtype"]).endswith("uint8") else np.int8)


def _check_range(call: Call, kind: str) -> None:
    """Refuse quanta of other than eight bits, unless they are those of a constant."""
    dtype = str(call.arguments["dtype"]).removeprefix("torch.")
    if dtype not in ("int8", "uint8"):
        call.refuse(f"{kind} of {dtype}", "quantise to int8 or uint8")


def constant_of(arguments: Mapping[str, Any]) -> Constant:
    """Dequantised numbers that remember their unit."""
    quanta = as_array(arguments["input"]).astype(np.float64)
    scales = as_array(arguments.get("scale", arguments.get("scales"))).astype(np.float64)
    given = arguments.get("zero_point", arguments.get("zero_points"))
    zeros = np.zeros(()) if given is None else as_array(given).astype(np.float64)
    if "axis" in arguments:
        axis = int(arguments["axis"]) % quanta.ndim
        column = [-1 if index == axis else 1 for index in range(quanta.ndim)]
        scales, zeros = scales.reshape(column), zeros.reshape(column)
    else:
        scales, zeros = scales.reshape(()), zeros.reshape(())
    return Constant(((quanta - zeros) * scales).astype(np.float32), scales)


QUANTIZATION: Mapping[str, Translation] = {
    **{
        f"{_PREFIX}quantize_{form}": linear_of("QuantizeLinear")
        for form in ("per_tensor.default", "per_tensor.tensor", "per_channel.default")
    },
    **{
        f"{_PREFIX}dequantize_{form}": linear_of("DequantizeLinear")
        for form in ("per_tensor.default", "per_tensor.tensor", "per_channel.default")
    },
}
"""How each operator of torch.ops.quantized_decomposed becomes an ONNX operator."""

LAYERS_OF_QUANTA: Mapping[str, Translation] = {
    **dict.fromkeys(
        (
            *("aten.conv1d.default", "aten.conv2d.default", "aten.conv1d.padding"),
            *("aten.conv2d.padding", "aten.convolution.default"),
        ),
        convolution,
    ),
    "aten.linear.default": linear,
    "aten.addmm.default": batched_add,
}
"""Layers with weights, which have to know the units of theirs."""
