"""Conv and ConvTranspose over one or two spatial axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.shaping import reshaped
from smidgen.frontends.onnx.taps import Line, lines_of
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.frontends.onnx.windows import MAX_WINDOW, Window, explicit_padding, read_window
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.transpose import TransposeConv2D
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.padding import Pad
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.support.window import Padding


def conv(call: Call) -> Value:
    """Conv2D or DepthwiseConv2D; over one spatial axis [N, C, T] runs over [N, T, 1, C]."""
    return convolve(call, call.real_value(0), call.known(1, "weights"), _bias(call))


def convolve(
    call: Call,
    x: Value,
    weights: Constant,
    bias: Array | None,
    window: Window | None = None,
) -> Value:
    """The convolution of `x` [N, C, ...] with `weights` [O, C / groups, ...].

    `window` is given where it is not the node's own.
    """
    shape, groups = x.layout.shape, call.attribute("group", 1)
    if len(shape) == 5 and weights.values.ndim == 5:
        return _convolve_volume(call, x, weights, bias)
    kernel = _as_plane(call, weights.values, len(shape))
    _check(call, shape, kernel.shape, groups, bias)
    window = window or read_window(call, shape[2:], weights.shape[2:])
    tensor, slots = _image(call, x, groups)
    units = weights.units_along(0)
    settings = (window.stride, window.padding, window.dilation)
    if groups > 1 and groups == shape[1]:
        constants = {"weights": kernel.transpose(1, 2, 3, 0), "bias": bias}
        emitted = call.emit(DepthwiseConv2D(*settings), [tensor], constants, units)
    else:
        picked = kernel if slots is None else kernel[:, slots]
        constants = {"weights": picked.transpose(0, 2, 3, 1), "bias": bias}
        emitted = call.emit(Conv2D(*settings), [tensor], constants, units)
    return call.as_image(emitted, len(shape))


def _convolve_volume(call: Call, x: Value, weights: Constant, bias: Array | None) -> Value:
    """A convolution over depth, rows and columns: one over rows and columns for each depth.

    The slices of depth that a window covers are channels to it.
    """
    outputs, channels, depth, *_ = weights.shape
    if call.attribute("group", 1) != 1 or channels != x.layout.shape[1]:
        call.refuse("groups over three spatial axes", "use one group, or two spatial axes")
    line, *plane = lines_of(call, x.layout.shape[2:], weights.shape[2:])
    order, shape = (0, 3, 4, 2, 1), list(x.layout.shape)
    laid = Value(call.scope.laid(x, order), Layout.of(shape, order))
    if line.before or line.end:
        ends = tuple((0, 0, 0, n, 0) for n in (line.before, line.end))
        whole = call.scope.reshape(laid.tensor, _in_order(laid, order))
        padded = call.moved(Pad(ends[0], ends[1]), whole)
        shape[2] += line.before + line.end
        laid = Value(padded, Layout.of(shape, order))
    window = _plane_window(*plane)
    flat = weights.values.reshape(outputs, channels * depth, *weights.shape[3:])
    unit = weights.unit if weights.unit is None or weights.unit.size == 1 else None
    matrix = Constant(flat, unit)
    slices = []
    for place in range(line.outputs):
        part = _depths(call, laid, place * line.stride, depth, line.dilation)
        y = convolve(call, part, matrix, bias, window)
        slices.append(call.scope.reshape(y.tensor, (shape[0], 1, *call.scope.shape(y.tensor)[1:])))
    whole = slices[0] if len(slices) == 1 else call.scope.add(Concat(1), slices, call.stem)[0]
    batch, depths, rows, columns, channels = call.scope.shape(whole)
    return Value(whole, Layout.channels_last((batch, channels, depths, rows, columns)))


def _plane_window(rows: Line, columns: Line) -> Window:
    return Window(
        (rows.size, columns.size),
        (rows.stride, columns.stride),
        (rows.dilation, columns.dilation),
        Padding(rows.before, rows.after, columns.before, columns.after),
    )


def _in_order(x: Value, order: Sequence[int]) -> list[int]:
    return [x.layout.shape[axis] for axis in order]


def _depths(call: Call, x: Value, first: int, count: int, step: int) -> Value:
    """`count` slices of depth of `x`, laid [N, H, W, D, C], as channels [N, C * count, H, W]."""
    order = (0, 3, 4, 2, 1)
    shape = _in_order(x, order)
    size, begin, stride = list(shape), [0] * 5, [1] * 5
    size[3], begin[3], stride[3] = count, first, step
    tensor = call.scope.reshape(x.tensor, shape)
    piece = call.moved(Slice(tuple(begin), tuple(size), tuple(stride)), tensor)
    batch, rows, columns, _, channels = size
    value = Value(piece, Layout.of((batch, channels, count, rows, columns), order))
    return reshaped(call, value, (batch, channels * count, rows, columns))


def _bias(call: Call) -> Array | None:
    bias = call.optional_constant(2, "bias")
    return None if bias is None else bias.reshape(-1)


def _as_plane(call: Call, kernel: Array, rank: int) -> Array:
    """A kernel [O, I, rows, columns]; columns are 1 wide for one spatial axis."""
    if kernel.ndim != rank or rank not in (3, 4):
        call.refuse(
            f"weights of {kernel.ndim} axes over an input of {rank}", "use one or two spatial axes"
        )
    return kernel if rank == 4 else kernel[..., np.newaxis]


def _check(
    call: Call, shape: tuple[int, ...], kernel: tuple[int, ...], groups: int, bias: Array | None
) -> None:
    fits = groups > 0 and kernel[1] * groups == shape[1] and kernel[0] % groups == 0
    if not fits or (bias is not None and len(bias) != kernel[0]) or 0 in kernel:
        call.damaged(f"weights {kernel} in {groups} groups do not fit the input {shape}")


def _image(call: Call, x: Value, groups: int) -> tuple[str, Array | None]:
    """An image that holds `x`, and in which order it has its channels if in another than ONNX."""
    rank, layout = len(x.layout.axes), x.layout
    shuffled = layout.is_prefix((0, *range(2, rank))) and layout.is_suffix(1)
    if groups == 1 and shuffled and layout.order() is None:
        batch, channels, *space = layout.shape
        shape = (batch, *space, *[1] * (4 - rank), channels)
        return call.scope.reshape(x.tensor, shape), layout.slots(1)
    return call.image(x), None


def conv_transpose(call: Call) -> Value:
    """TransposeConv2D; groups become blocks of one kernel, dilation becomes zeros within it."""
    x, weights, bias = call.real_value(0), call.known(1, "weights"), _bias(call)
    shape, groups = x.layout.shape, call.attribute("group", 1)
    kernel = _as_plane(call, weights.values, len(shape))
    inputs, outputs = kernel.shape[:2]
    if groups < 1 or inputs != shape[1] or inputs % groups or 0 in kernel.shape:
        call.damaged(f"weights {kernel.shape} in {groups} groups do not fit the input {shape}")
    if bias is not None and len(bias) != outputs * groups:
        call.damaged(f"{len(bias)} biases for {outputs * groups} outputs")
    window, size = _transposed_window(call, shape[2:], weights.shape[2:])
    blocks = _dilated(_blocks(kernel, groups), window)
    op = TransposeConv2D(size, window.stride, window.padding)
    units = weights.units_along(1) if groups == 1 else _common_unit(weights, outputs * groups)
    constants = {"weights": blocks, "bias": bias}
    return call.as_image(call.emit(op, [call.image(x)], constants, units), len(shape))


def _common_unit(weights: Constant, outputs: int) -> Array | None:
    if weights.unit is None or weights.unit.size != 1:
        return None
    return np.broadcast_to(weights.unit.reshape(-1), (outputs,)).astype(np.float64)


def _blocks(kernel: Array, groups: int) -> Array:
    """[I, O / groups, rows, columns] as [O, rows, columns, I], zero between the groups."""
    inputs, outputs, rows, cols = kernel.shape
    full = np.zeros((groups * outputs, rows, cols, inputs), kernel.dtype)
    step = inputs // groups
    for group in range(groups):
        part = kernel[group * step : (group + 1) * step]
        rows_of_group = slice(group * outputs, (group + 1) * outputs)
        full[rows_of_group, ..., group * step : (group + 1) * step] = part.transpose(1, 2, 3, 0)
    return full


def _dilated(kernel: Array, window: Window) -> Array:
    """[O, rows, columns, I] with zeros between its taps."""
    if window.dilation == (1, 1):
        return kernel
    wide = np.zeros((kernel.shape[0], *window.reach, kernel.shape[3]), kernel.dtype)
    wide[:, :: window.dilation[0], :: window.dilation[1]] = kernel
    return wide


def _transposed_window(
    call: Call, space: tuple[int, ...], kernel: tuple[int, ...]
) -> tuple[Window, tuple[int, int]]:
    """The window, whose padding is cut off, and the output's rows and columns."""
    spatial = len(space)
    window = read_window(call, space, kernel)
    extra = _two(call, call.numbers("output_padding") or (0,) * spatial, 0)
    full = [
        (n - 1) * stride + reach + more
        for n, stride, reach, more in zip(
            _two(call, space, 1), window.stride, window.reach, extra, strict=True
        )
    ]
    wanted, mode = call.numbers("output_shape"), call.text("auto_pad", "NOTSET")
    if wanted is not None:
        size = _two(call, wanted[-spatial:], 1)
    elif mode.startswith("SAME"):
        size = _two(call, [n * s for n, s in zip(space, window.stride, strict=False)], 1)
    else:
        around = Padding() if mode == "VALID" else explicit_padding(call)
        size = (full[0] - around.top - around.bottom, full[1] - around.left - around.right)
        return _with_padding(call, window, around, size)
    cut = [max(0, whole - part) for whole, part in zip(full, size, strict=True)]
    before = [n // 2 if mode == "SAME_UPPER" else n - n // 2 for n in cut]
    around = Padding(before[0], cut[0] - before[0], before[1], cut[1] - before[1])
    return _with_padding(call, window, around, size)


def _with_padding(
    call: Call, window: Window, around: Padding, size: tuple[int, int]
) -> tuple[Window, tuple[int, int]]:
    if min(size) < 1:
        call.damaged(f"its output would have {size} rows and columns")
    return Window(window.size, window.stride, window.dilation, around), size


def _two(call: Call, numbers: Sequence[int], default: int) -> tuple[int, int]:
    """Numbers over one or two spatial axes as (rows, columns)."""
    if len(numbers) not in (1, 2) or any(abs(number) > MAX_WINDOW for number in numbers):
        call.damaged(f"{list(numbers)} for its spatial axes")
    return numbers[0], numbers[1] if len(numbers) == 2 else default


CONVOLUTIONS: Mapping[str, Lowering] = {"Conv": conv, "ConvTranspose": conv_transpose}
