"""Convolutions of one and two dimensions."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout
from smidgen.frontends.pytorch.call import Call, Value
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.support.window import Padding


def convolution(call: Call) -> Value:
    """Conv2D or DepthwiseConv2D; a 1-D convolution over [N, C, T] runs over [N, T, 1, C]."""
    if call.arguments.get("transposed"):
        call.refuse("transposed convolution", "upsample outside the model, or use strided layers")
    x, weights = call.value("input"), call.constant("weight")
    spatial = weights.ndim - 2
    if spatial not in (1, 2):
        call.refuse(f"{spatial} spatial axes", "use Conv1d or Conv2d")
    tensor = call.image(x, spatial)
    kernel = weights if spatial == 2 else weights[..., np.newaxis]
    emitted = call.emit(*_operation(call, x, tensor, kernel, spatial))
    return Value(emitted, Layout.channels_last(call.shape))


def _operation(
    call: Call, x: Value, tensor: str, kernel: Array, spatial: int
) -> tuple[Conv2D | DepthwiseConv2D, str, dict[str, Array | None]]:
    """The op, its input and its constants, for a kernel [O, I / groups, rows, columns]."""
    groups, channels = int(call.arguments["groups"]), x.layout.shape[1]
    slots = x.layout.slots(1)
    padding = _padding(call, (kernel.shape[2], kernel.shape[3]), spatial)
    stride, dilation = (call.pair(name, spatial, 1) for name in ("stride", "dilation"))
    bias = call.optional_constant("bias")
    if groups > 1 and not np.array_equal(slots, np.arange(channels)):
        call.needs_transposition("its groups read channels that were shuffled")
    if groups > 1 and groups == channels:
        depthwise = kernel.transpose(1, 2, 3, 0)
        op = DepthwiseConv2D(stride, padding, dilation)
        return op, tensor, {"weights": depthwise, "bias": bias}
    picked = (kernel if groups > 1 else kernel[:, slots]).transpose(0, 2, 3, 1)
    return Conv2D(stride, padding, dilation), tensor, {"weights": picked, "bias": bias}


def _padding(call: Call, window: tuple[int, int], spatial: int) -> Padding:
    given = call.arguments.get("padding")
    if given == "same":
        dilation = call.pair("dilation", spatial, 1)
        totals = [(w - 1) * d for w, d in zip(window, dilation, strict=True)]
        rows, columns = ((total // 2, total - total // 2) for total in totals)
        return Padding(*rows, *columns)
    row, column = (0, 0) if given == "valid" else call.pair("padding", spatial, 0)
    return Padding(row, row, column, column)


CONVOLUTIONS = {
    "aten.conv1d.default": convolution,
    "aten.conv1d.padding": convolution,
    "aten.conv2d.default": convolution,
    "aten.conv2d.padding": convolution,
    "aten.convolution.default": convolution,
}
