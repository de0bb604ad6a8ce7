"""Pooling, means and maxima over space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from smidgen.frontends.layout import Layout
from smidgen.frontends.pytorch.call import Call, Value
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.window import Padding


def max_pool(call: Call) -> Value:
    """MaxPool2D; `ceil_mode` becomes rows and columns of padding at the far ends."""
    if any(step != 1 for step in call.pair("dilation", 2, 1)):
        call.refuse("dilated pooling", "use a larger stride, or a strided convolution")
    return _pool(call, MaxPool2D)


def average_pool(call: Call) -> Value:
    """AveragePool2D over the part of each window that lies inside the image."""
    padded = any(call.pair("padding", 2, 0))
    if padded and call.arguments["count_include_pad"]:
        call.refuse("zeros of the padding are counted", "pass count_include_pad=False")
    if call.arguments.get("divisor_override") is not None:
        call.refuse("divisor_override", "scale the following layer's weights instead")
    return _pool(call, AveragePool2D)


def _pool(call: Call, kind: type[AveragePool2D] | type[MaxPool2D]) -> Value:
    x, spatial = call.value("self"), len(call.shape) - 2
    tensor = call.image(x, spatial)
    window = call.pair("kernel_size", spatial, 1)
    stride = call.pair("stride", spatial, 1) if call.arguments["stride"] else window
    padding = call.pair("padding", spatial, 0)
    far = [
        max(near, (out - 1) * step + reach - size - near)
        for near, out, step, reach, size in zip(
            padding, _space(call.shape), stride, window, _space(x.layout.shape), strict=True
        )
    ]
    around = Padding(padding[0], far[0], padding[1], far[1])
    return Value(call.emit(kind(window, stride, around), tensor), Layout.channels_last(call.shape))


def _space(shape: Sequence[int]) -> tuple[int, int]:
    return shape[2], shape[3] if len(shape) == 4 else 1


def adaptive_average(call: Call) -> Value:
    """AveragePool2D with equal windows."""
    return _adaptive(call, AveragePool2D)


def adaptive_max(call: Call) -> Value:
    """MaxPool2D with equal windows."""
    return _adaptive(call, MaxPool2D)


def _adaptive(call: Call, kind: type[AveragePool2D] | type[MaxPool2D]) -> Value:
    x = call.value("self")
    sizes, outputs = _space(x.layout.shape), _space(call.shape)
    if any(size % out for size, out in zip(sizes, outputs, strict=True)):
        call.refuse(
            f"{outputs} windows over {sizes} differ in size", "pool to 1 or a divisor of the size"
        )
    window = (sizes[0] // outputs[0], sizes[1] // outputs[1])
    tensor = call.image(x, len(call.shape) - 2)
    return Value(call.emit(kind(window, window), tensor), Layout.channels_last(call.shape))


def mean(call: Call) -> Value:
    """The mean over some axes, as an AveragePool2D over their full extent."""
    return _reduce(call, AveragePool2D)


def maximum(call: Call) -> Value:
    """The maximum over some axes, as a MaxPool2D over their full extent."""
    return _reduce(call, MaxPool2D)


def _reduce(call: Call, kind: type[AveragePool2D] | type[MaxPool2D]) -> Value:
    x = call.value("self")
    layout = x.layout
    axes = _reduced_axes(call, len(layout.axes))
    factors = sorted(factor for axis in axes for factor in layout.axes[axis])
    if factors != list(range(factors[0], factors[-1] + 1) if factors else ()):
        call.needs_transposition("the axes it reduces do not lie beside each other in memory")
    reduced = _without(layout, axes, call.shape)
    if not factors:
        return Value(x.tensor, reduced)
    tensor, window = _as_window(call, x, factors)
    return Value(call.emit(kind(window, window), tensor), reduced)


def _reduced_axes(call: Call, rank: int) -> set[int]:
    given = call.arguments.get("dim")
    listed = [given] if isinstance(given, int) else list(given or range(rank))
    return {axis % rank for axis in listed}


def _as_window(call: Call, x: Value, factors: list[int]) -> tuple[str, tuple[int, int]]:
    """A tensor with four axes, and the window over its rows and columns that covers `factors`."""
    extents, shape = x.layout.extents, call.physical_shape(x)
    inner = math.prod(extents[factors[-1] + 1 :])
    count = math.prod(extents[factor] for factor in factors)
    if len(shape) == 4 and shape[3] == inner:
        if count == shape[1] * shape[2]:
            return x.tensor, (shape[1], shape[2])
        if count == shape[2]:
            return x.tensor, (1, count)
    outer = math.prod(extents[: factors[0]])
    batch = call.shape[0] if call.shape and outer % call.shape[0] == 0 else 1
    return call.scope.reshape(x.tensor, (batch, outer // batch, count, inner)), (1, count)


def _without(layout: Layout, axes: set[int], shape: Sequence[int]) -> Layout:
    """`layout` with the factors of `axes` taken away, under the logical `shape`."""
    gone = {factor for axis in axes for factor in layout.axes[axis]}
    kept = [factor for factor in range(len(layout.extents)) if factor not in gone]
    emptied = replace(
        layout,
        extents=tuple(layout.extents[factor] for factor in kept),
        axes=tuple(
            () if axis in axes else tuple(kept.index(factor) for factor in factors)
            for axis, factors in enumerate(layout.axes)
        ),
    )
    return emptied.reshaped(shape)


POOLS = {
    "aten.max_pool1d.default": max_pool,
    "aten.max_pool2d.default": max_pool,
    "aten.max_pool2d_with_indices.default": max_pool,
    "aten.max_pool1d_with_indices.default": max_pool,
    "aten.avg_pool1d.default": average_pool,
    "aten.avg_pool2d.default": average_pool,
    "aten.adaptive_avg_pool1d.default": adaptive_average,
    "aten.adaptive_avg_pool2d.default": adaptive_average,
    "aten._adaptive_avg_pool2d.default": adaptive_average,
    "aten.adaptive_max_pool1d.default": adaptive_max,
    "aten.adaptive_max_pool2d.default": adaptive_max,
    "aten.mean.dim": mean,
    "aten.mean.default": mean,
    "aten.amax.default": maximum,
}
