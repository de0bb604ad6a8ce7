"""Layers with weights: convolutions, dense layers, poolings, matrix products, recurrent ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from properties.net import Net, Shape, Value, kind_of, like, output_scale, zero_point
from properties.table import layer

_WEIGHT_LIMITS = {"int8": 127, "int4": 7}
_MOST_MACS = 60_000


def _weights(net: Net, x: Value, shape: Sequence[int], axis: int | None, bits: str) -> Value:
    """Constant weights for activations `x`; the index of the value is that of the constant."""
    if x.dtype == "float32":
        data = net.rng.normal(0, 1, shape) / max(1.0, math.prod(shape[1:])) ** 0.5
        return Value(net.constant(data.astype(np.float32), "float32"), tuple(shape), "float32")
    limit = _WEIGHT_LIMITS[bits]
    data = net.rng.integers(-limit, limit + 1, shape)
    if net.chance(0.1):
        data = net.rng.choice([-limit, limit], shape)
    if net.chance(0.15):
        data *= net.rng.random(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) < 0.6
    count = 1 if axis is None else shape[axis]
    spread = 0.0 if count == 1 else net.pick([0.0, 1.0, 4.0])
    scales = (0.01 * 2 ** net.rng.uniform(-spread, spread, count)).astype(np.float32)
    index = net.constant(data, bits, scale=[float(s) for s in scales], axis=axis or 0)
    return Value(index, tuple(shape), bits, float(scales.max()))


def _bias(net: Net, x: Value, w: Value, count: int) -> int:
    if x.dtype == "float32":
        return net.constant(net.rng.normal(0, 1, count).astype(np.float32), "float32")
    dtype, reach = ("int64", 1 << 20) if x.dtype == "int16" else ("int32", 1 << 12)
    values = net.rng.integers(-reach, reach, count)
    scales = np.float32(x.scale) * np.atleast_1d(np.float32(net.tensors[w.index].scale))
    return net.constant(values, dtype, scale=[float(s) for s in scales])


def _result(net: Net, x: Value, w: Value, shape: Shape, taps: int) -> Value:
    """The output: of a scale that fills its range, or of an extreme one."""
    if x.dtype == "float32":
        reach = max(abs(x.low), abs(x.high)) * 3 * taps**0.5 + 4
        return like(x, shape, low=-reach, high=reach, exact=False)
    assert x.scale is not None and w.scale is not None
    limit = _WEIGHT_LIMITS.get(w.dtype, 127)
    natural = x.scale * w.scale * limit * 0.4 * taps**0.5
    most = 64.0 if x.dtype == "int8" else 8.0
    return like(
        x, shape, scale=output_scale(net, natural, most), zero_point=zero_point(net, x.dtype)
    )


def _geometry(
    net: Net, x: Value, dilates: bool = True
) -> tuple[list[int], list[int], list[int], int, Shape] | None:
    """Window, stride, dilation, the schema's padding, and the extents of the output."""
    padding = net.whole(0, 1)
    window = [net.pick([1, 1, 2, 3, 3, 5]) for _ in range(2)]
    stride = [net.pick([1, 1, 1, 2, 3]) for _ in range(2)]
    if net.chance(0.7):
        stride[1] = stride[0]
    dilation = [1, 1]
    if dilates and net.chance(0.2):
        dilation, stride = [net.whole(1, 2) for _ in range(2)], [1, 1]
    if padding and net.chance(0.2):
        window = list(x.shape[1:3])
    reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    if padding == 0:
        extents = [-(-n // s) for n, s in zip(x.shape[1:3], stride, strict=True)]
    else:
        extents = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:3], reach, stride, strict=True)]
    if min(extents) < 1 or max(window) > 16:
        return None
    return window, stride, dilation, padding, tuple(extents)


def _common(net: Net, stride: list[int], padding: int) -> dict[str, int]:
    return {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "fused_activation_function": net.pick([0, 0, 1, 2, 3]),
    }


@layer("CONV_2D", "DEPTHWISE_CONV_2D", dtypes=("int8", "int16", "float32"), ranks=(4,), weight=3)
def convolution(net: Net, x: Value, name: str) -> list[Value] | None:
    geometry = _geometry(net, x)
    if geometry is None:
        return None
    window, stride, dilation, padding, extents = geometry
    depth, is_full = x.shape[3], name == "CONV_2D"
    groups = 2 if is_full and depth % 2 == 0 and net.chance(0.1) else 1
    count = groups * net.pick([1, 2, 3, 4, 8]) if is_full else depth * net.pick([1, 1, 1, 2, 3, 8])
    taps = math.prod(window) * (depth // groups if is_full else 1)
    if x.shape[0] * math.prod(extents) * count * taps > _MOST_MACS:
        return None
    shape = [count, *window, depth // groups] if is_full else [1, *window, count]
    bits = "int4" if x.dtype == "int8" and net.chance(0.15) else "int8"
    axis = (0 if is_full else 3) if net.chance(0.6) else None
    w = _weights(net, x, shape, axis, bits)
    y = _result(net, x, w, (x.shape[0], *extents, count), taps)
    options = _common(net, stride, padding)
    options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    if not is_full:
        options["depth_multiplier"] = count // depth
    inputs = [x, w.index]
    if net.chance(0.8):
        inputs.append(_bias(net, x, w, count))
    return net.add(name, inputs, [y], options)


@layer("TRANSPOSE_CONV", dtypes=("int8", "int16", "float32"), ranks=(4,))
def transposed_convolution(net: Net, x: Value, name: str) -> list[Value] | None:
    window, stride = ([net.whole(1, 3) for _ in range(2)] for _ in range(2))
    padding, count = net.whole(0, 1), net.whole(1, 4)
    extents = [
        n * s + (max(w - s, 0) if padding else 0)
        for n, s, w in zip(x.shape[1:3], stride, window, strict=True)
    ]
    taps = math.prod(window) * x.shape[3]
    shape = (x.shape[0], *extents, count)
    if x.elements * count * math.prod(window) > _MOST_MACS:
        return None
    w = _weights(net, x, [count, *window, x.shape[3]], 0 if net.chance(0.6) else None, "int8")
    y = _result(net, x, w, shape, taps)
    inputs = [net.constant(shape), w.index, x]
    if net.chance(0.8):
        inputs.append(_bias(net, x, w, count))
    return net.add(name, inputs, [y], _common(net, stride, padding))


@layer("FULLY_CONNECTED", dtypes=("int8", "int16", "float32"), ranks=(2, 3, 4), weight=3)
def dense(net: Net, x: Value, name: str) -> list[Value] | None:
    depth, count = x.shape[-1], net.pick([1, 2, 3, 4, 5, 8, 13])
    if depth > 600:
        return None
    bits = "int4" if x.dtype == "int8" and net.chance(0.15) else "int8"
    axis = 0 if bits == "int8" and net.chance(0.3) else None
    w = _weights(net, x, [count, depth], axis, bits)
    keeps = net.chance(0.5)
    rows = list(x.shape[:-1]) if keeps else [x.elements // depth]
    y = _result(net, x, w, (*rows, count), depth)
    inputs = [x, w.index, _bias(net, x, w, count) if net.chance(0.8) else -1]
    options = {"fused_activation_function": net.pick([0, 0, 1, 2, 3]), "keep_num_dims": keeps}
    return net.add(name, inputs, [y], options)


@layer("AVERAGE_POOL_2D", "MAX_POOL_2D", dtypes=("int8", "int16", "float32"), ranks=(4,), weight=2)
@layer("L2_POOL_2D", dtypes=("float32",), ranks=(4,))
def pooling(net: Net, x: Value, name: str) -> list[Value] | None:
    geometry = _geometry(net, x, dilates=False)
    if geometry is None:
        return None
    window, stride, _, padding, extents = geometry
    options = _common(net, stride, padding)
    options |= {"filter_height": window[0], "filter_width": window[1]}
    y = like(x, (x.shape[0], *extents, x.shape[3]), exact=x.exact and name == "MAX_POOL_2D")
    if name == "L2_POOL_2D":
        y = like(y, low=0.0, high=max(abs(x.low), abs(x.high)))
    return net.add(name, [x], [y], options)


@layer("BATCH_MATMUL", dtypes=("int8", "int16", "float32"), ranks=(2, 3, 4))
def matrix_product(net: Net, x: Value, name: str) -> list[Value] | None:
    swaps = [net.chance(0.4) for _ in range(2)]
    rows, inner = x.shape[-2:][::-1] if swaps[0] else x.shape[-2:]
    cols, batch = net.whole(1, 5), x.shape[:-2] if net.chance(0.5) else ()
    if math.prod(x.shape[:-2]) * rows * inner * cols > _MOST_MACS:
        return None
    matrix = (*batch, cols, inner) if swaps[1] else (*batch, inner, cols)
    b = net.input(kind_of(net, matrix, x.dtype))
    shape = (*x.shape[:-2], rows, cols)
    if x.dtype == "float32":
        reach = max(abs(x.low), abs(x.high)) * 4 * inner
        y = like(x, shape, low=-reach, high=reach, exact=False)
    else:
        assert x.scale and b.scale
        natural = x.scale * b.scale * (100 if x.dtype == "int8" else 15000) * inner**0.5
        y = like(x, shape, scale=output_scale(net, natural), zero_point=zero_point(net, x.dtype))
    return net.add(name, [x, b], [y], {"adj_x": swaps[0], "adj_y": swaps[1]})
