"""Convolutions and poolings over any number of axes, by way of ONNX operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.onnx.values import Value
from smidgen.frontends.pytorch.call import Call
from smidgen.frontends.pytorch.translation import Translation, apply


def transposed_convolution(call: Call) -> Value:
    """A transposed convolution of one or two spatial axes."""
    weight = call.arguments["weight"]
    spatial = len(weight.shape) - 2
    around = _each(call, "padding", spatial, 0)
    return apply(
        call,
        "ConvTranspose",
        call.value("input"),
        weight,
        call.arguments.get("bias"),
        strides=_each(call, "stride", spatial, 1),
        pads=(*around, *around),
        output_padding=_each(call, "output_padding", spatial, 0),
        dilations=_each(call, "dilation", spatial, 1),
        group=int(call.arguments["groups"]),
    )


def convolution(call: Call) -> Value:
    """A convolution of one or two spatial axes, also of quanta."""
    if call.arguments.get("transposed"):
        return transposed_convolution(call)
    weight, given = call.arguments["weight"], call.arguments.get("padding")
    spatial = len(weight.shape) - 2
    attributes: dict[str, Any] = {
        "strides": _each(call, "stride", spatial),
        "dilations": _each(call, "dilation", spatial),
    }
    if isinstance(given, str):
        attributes["auto_pad"] = {"same": "SAME_UPPER", "valid": "VALID"}[given]
    else:
        attributes["pads"] = _each(call, "padding", spatial) * 2
    operands = (call.value("input"), weight, call.arguments.get("bias"))
    return apply(call, "Conv", *operands, group=int(call.arguments["groups"]), **attributes)


def average_pool(call: Call) -> Value:
    """The mean of each window, padding counted where PyTorch does."""
    if call.arguments.get("divisor_override") is not None:
        call.refuse("divisor_override", "scale the following layer's weights instead")
    counts = bool(call.arguments["count_include_pad"])
    return apply(call, "AveragePool", call.value("self"), **_window(call), count_include_pad=counts)


def max_pool(call: Call) -> Value:
    """The largest in each window."""
    spatial = len(call.value("self").layout.axes) - 2
    dilation = _each(call, "dilation", spatial, 1)
    return apply(call, "MaxPool", call.value("self"), **_window(call), dilations=dilation)


def _window(call: Call) -> dict[str, Any]:
    """The attributes that poolings share."""
    spatial = len(call.value("self").layout.axes) - 2
    kernel = _each(call, "kernel_size", spatial)
    return {
        "kernel_shape": kernel,
        "strides": _each(call, "stride", spatial) if call.arguments["stride"] else kernel,
        "pads": _each(call, "padding", spatial, 0) * 2,
        "ceil_mode": bool(call.arguments["ceil_mode"]),
    }


def _each(call: Call, name: str, spatial: int, default: int = 1) -> tuple[int, ...]:
    """An argument for each spatial axis; one number is that of all."""
    given = call.arguments.get(name)
    listed = [given] if isinstance(given, int) else [int(n) for n in given or [default]]
    return tuple(listed * spatial if len(listed) == 1 else listed)


def adaptive_average(call: Call) -> Value:
    """Means over windows that cover each axis evenly; these may overlap and differ in size."""
    x = call.value("self")
    first = len(call.shape) - len(call.arguments["output_size"])
    for axis in range(first, len(call.shape)):
        shares = _adaptive_shares(x.layout.shape[axis], call.shape[axis])
        if call.shape[axis] == 1:
            x = apply(call, "ReduceMean", x, [axis], keepdims=1)
        elif call.shape[axis] != x.layout.shape[axis]:
            order = [a for a in range(len(call.shape)) if a != axis] + [axis]
            product = apply(call, "MatMul", apply(call, "Transpose", x, perm=tuple(order)), shares)
            x = apply(call, "Transpose", product, perm=tuple(np.argsort(order).tolist()))
    return x


def _adaptive_shares(extent: int, outputs: int) -> Array:
    """What each of `extent` elements adds to each output, float32 [extent, outputs]."""
    shares = np.zeros((extent, outputs), np.float32)
    for place in range(outputs):
        window = slice(place * extent // outputs, -(-(place + 1) * extent // outputs))
        shares[window, place] = 1.0 / (window.stop - window.start)
    return shares


def adaptive_maximum(call: Call) -> Value:
    """The largest of each of the same windows."""
    x = call.value("self")
    first = len(call.shape) - len(call.arguments["output_size"])
    for axis in range(first, len(call.shape)):
        extent, outputs = x.layout.shape[axis], call.shape[axis]
        bounds = [(p * extent // outputs, -(-(p + 1) * extent // outputs)) for p in range(outputs)]
        parts = [apply(call, "Slice", x, [low], [high], [axis]) for low, high in bounds]
        each = [apply(call, "ReduceMax", each, [axis], keepdims=1) for each in parts]
        x = each[0] if len(each) == 1 else apply(call, "Concat", *each, axis=axis)
    return x


WINDOWS: Mapping[str, Translation] = {
    **dict.fromkeys((f"aten.avg_pool{n}d.default" for n in (1, 2, 3)), average_pool),
    **dict.fromkeys((f"aten.max_pool{n}d.default" for n in (1, 2, 3)), max_pool),
    **dict.fromkeys((f"aten.max_pool{n}d_with_indices.default" for n in (1, 2, 3)), max_pool),
    **dict.fromkeys(
        (
            *(f"aten.adaptive_avg_pool{n}d.default" for n in (1, 2, 3)),
            *(f"aten._adaptive_avg_pool{n}d.default" for n in (2, 3)),
        ),
        adaptive_average,
    ),
    **dict.fromkeys((f"aten.adaptive_max_pool{n}d.default" for n in (1, 2, 3)), adaptive_maximum),
    "aten.conv_transpose1d.default": transposed_convolution,
    "aten.conv_transpose2d.input": transposed_convolution,
    **{f"aten.conv{n}d.{form}": convolution for n in (1, 2, 3) for form in ("default", "padding")},
    "aten.convolution.default": convolution,
}
"""How each aten overload becomes ONNX operators."""
