"""Poolings over one or two spatial axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from smidgen.frontends.onnx.activations import scaled
from smidgen.frontends.onnx.call import Call, Lowering, Result
from smidgen.frontends.onnx.elementwise import unary
from smidgen.frontends.onnx.powers import LARGEST_WHOLE, root, whole_power
from smidgen.frontends.onnx.shaping import reshaped
from smidgen.frontends.onnx.taps import average_over, lines_of, max_over
from smidgen.frontends.onnx.values import Value
from smidgen.frontends.onnx.windows import Window, read_window
from smidgen.ops.elementwise.unary import Abs
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.window import Padding


def max_pool(call: Call) -> tuple[Result, ...]:
    """MaxPool2D; the indices of the maxima are not made."""
    if call.read[1:2] == (True,):
        call.refuse("the indices of the maxima are used", "use its first output only")
    x = call.value(0)
    kernel = _kernel(call)
    if _needs_taps(call, x, kernel):
        return max_over(call, x, lines_of(call, x.layout.shape[2:], kernel)), None
    window = _window(call, x, kernel)
    tensor = call.image(x)
    padding = _with_far_end(call, window, call.scope.shape(tensor))
    op = MaxPool2D(window.size, window.stride, padding)
    return call.as_image(call.moved(op, tensor), len(x.layout.axes)), None


def average_pool(call: Call) -> Value:
    """AveragePool2D; padding that counts is added as zeros before."""
    return averaged(call, call.real_value(0))


def averaged(call: Call, x: Value, *, counts: bool | None = None) -> Value:
    """The means of the windows of `x`; whether padding counts, the node says where it is None."""
    kernel = _kernel(call)
    counts = bool(call.attribute("count_include_pad", 0)) if counts is None else counts
    if _needs_taps(call, x, kernel):
        return average_over(call, x, lines_of(call, x.layout.shape[2:], kernel), counts)
    window = _window(call, x, kernel)
    tensor = call.image(x)
    padding = _with_far_end(call, window, call.scope.shape(tensor))
    if counts and window.padding != Padding():
        around, p = window.padding, padding
        before, after = (0, around.top, around.left, 0), (0, around.bottom, around.right, 0)
        tensor = call.emit(Pad(before, after), [tensor])
        padding = Padding(0, max(0, p.bottom - around.bottom), 0, max(0, p.right - around.right))
    op = AveragePool2D(window.size, window.stride, padding)
    return call.as_image(call.emit(op, [tensor]), len(x.layout.axes))


def lp_pool(call: Call) -> Value:
    """The p-th root of the sum of |x| ** p in each window."""
    degree = call.attribute("p", 2)
    if not 1 <= degree <= LARGEST_WHOLE or call.attribute("ceil_mode", 0):
        call.refuse(
            f"p {degree}, or ceil_mode", f"use a p from 1 to {LARGEST_WHOLE}, and no ceil_mode"
        )
    magnitudes = unary(call, Abs(), call.real_value(0))
    powers = whole_power(call, magnitudes, np.asarray(float(degree)))
    sums = scaled(call, averaged(call, powers, counts=True), float(math.prod(_kernel(call))))
    return root(call, sums, degree)


def _kernel(call: Call) -> tuple[int, ...]:
    kernel = call.numbers("kernel_shape")
    return kernel or call.damaged("it has no kernel_shape")


def _needs_taps(call: Call, x: Value, kernel: Sequence[int]) -> bool:
    """Whether our poolings have no such window: it is dilated, or over more than two axes."""
    if len(x.layout.shape) < 3 or len(kernel) != len(x.layout.shape) - 2:
        call.damaged(f"a window of {len(kernel)} axes over {len(x.layout.shape)}")
    return len(kernel) > 2 or any(n > 1 for n in call.numbers("dilations") or ())


def _window(call: Call, x: Value, kernel: Sequence[int]) -> Window:
    return read_window(call, x.layout.shape[2:], kernel)


def _with_far_end(call: Call, window: Window, image: Sequence[int]) -> Padding:
    """The padding, with what `ceil_mode` adds at the bottom and on the right."""
    if not call.attribute("ceil_mode", 0):
        return window.padding
    around = window.padding
    ends = (
        _far_end(image[1], around.top, around.bottom, window.size[0], window.stride[0]),
        _far_end(image[2], around.left, around.right, window.size[1], window.stride[1]),
    )
    return Padding(around.top, ends[0], around.left, ends[1])


def _far_end(extent: int, before: int, after: int, size: int, stride: int) -> int:
    """The padding after an axis so that a last, partial window counts if it starts inside."""
    outputs = -(-(extent + before + after - size) // stride) + 1
    if (outputs - 1) * stride >= extent + before:
        outputs -= 1
    return max(after, (outputs - 1) * stride + size - extent - before)


def global_average_pool(call: Call) -> Value:
    """AveragePool2D over the whole image."""
    return whole_pool(call, call.real_value(0), AveragePool2D)


def global_max_pool(call: Call) -> Value:
    """MaxPool2D over the whole image."""
    return whole_pool(call, call.value(0), MaxPool2D)


def whole_pool(call: Call, x: Value, kind: type[AveragePool2D] | type[MaxPool2D]) -> Value:
    """One window over all rows and columns of `x` [N, C, ...], which become 1."""
    if len(x.layout.axes) > 4:
        batch, channels, rows, *rest = x.layout.shape
        flat = reshaped(call, x, (batch, channels, rows, math.prod(rest)))
        return reshaped(call, whole_pool(call, flat, kind), (batch, channels, 1, *[1] * len(rest)))
    tensor = call.image(x)
    _, rows, cols, _ = call.scope.shape(tensor)
    op = kind((rows, cols), (rows, cols))
    return call.as_image(call.moved(op, tensor), len(x.layout.axes))


POOLS: Mapping[str, Lowering] = {
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
}
