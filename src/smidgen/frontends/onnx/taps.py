"""Poolings that no single op does: dilated ones, and over any number of axes; one axis at a time.

A window over several axes is one over each of them in turn: the maximum of maxima, the sum of sums.
Along an axis a window is a handful of slices, one a tap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call
from smidgen.frontends.onnx.elementwise import combine
from smidgen.frontends.onnx.shaping import MAX_EDGE_STEPS, repeat_edge
from smidgen.frontends.onnx.values import Constant, Value
from smidgen.frontends.onnx.windows import MAX_WINDOW
from smidgen.ops.shape.padding import Pad
from smidgen.ops.shape.slicing import Slice

_MAX_TAPS = 64


@dataclass(frozen=True, slots=True)
class Line:
    """A window along one axis of `extent` elements."""

    extent: int
    size: int
    stride: int
    dilation: int
    before: int
    after: int
    """Padding at the end, as the node says it."""
    ceil: bool

    @property
    def reach(self) -> int:
        """From the first tap to the last, inclusive."""
        return (self.size - 1) * self.dilation + 1

    @property
    def outputs(self) -> int:
        """How many windows there are; with `ceil` a last one that starts inside may reach out."""
        room = self.extent + self.before + self.after - self.reach
        if not self.ceil:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        return count - ((count - 1) * self.stride >= self.extent + self.before)

    @property
    def end(self) -> int:
        """Padding that the last window needs."""
        needed = (self.outputs - 1) * self.stride + self.reach - self.extent - self.before
        return max(self.after, needed)

    def counted(self, pads_count: bool) -> Array:
        """How many taps of each window an average divides by."""
        starts = np.arange(self.outputs) * self.stride - self.before
        places = starts[:, np.newaxis] + np.arange(self.size) * self.dilation
        low, high = (-self.before, self.extent + self.after) if pads_count else (0, self.extent)
        return np.asarray(np.maximum(((places >= low) & (places < high)).sum(axis=1), 1))


def lines_of(call: Call, space: Sequence[int], kernel: Sequence[int]) -> list[Line]:
    """The window along each spatial axis."""
    rank = len(space)
    strides = call.numbers("strides") or (1,) * rank
    dilations = call.numbers("dilations") or (1,) * rank
    pads = call.numbers("pads") or (0,) * (2 * rank)
    fits = len(kernel) == len(strides) == len(dilations) == rank and len(pads) == 2 * rank
    if not fits or min(*kernel, *strides, *dilations) < 1 or min(pads) < 0:
        call.damaged(f"its window does not fit {rank} spatial axes")
    if max(*kernel, *strides, *dilations, *pads) > MAX_WINDOW or max(kernel) > _MAX_TAPS:
        call.refuse(f"a window of {list(kernel)}", f"pool over at most {_MAX_TAPS} elements a side")
    ceil = bool(call.attribute("ceil_mode", 0))
    mode = call.text("auto_pad", "NOTSET")
    lines = []
    for axis, extent in enumerate(space):
        before, after = pads[axis], pads[axis + rank]
        line = Line(extent, kernel[axis], strides[axis], dilations[axis], before, after, ceil)
        if mode in ("SAME_UPPER", "SAME_LOWER"):
            line = _same(line, mode == "SAME_LOWER")
        if line.outputs < 1 or line.before >= line.reach or line.after >= line.reach:
            call.damaged(f"a window of {line.reach} does not fit an axis of {extent}")
        lines.append(line)
    return lines


def _same(line: Line, lower: bool) -> Line:
    """`line` with as many outputs as strides fit in the axis."""
    outputs = -(-line.extent // line.stride)
    total = max(0, (outputs - 1) * line.stride + line.reach - line.extent)
    less, more = total // 2, total - total // 2
    before, after = (more, less) if lower else (less, more)
    return Line(line.extent, line.size, line.stride, line.dilation, before, after, ceil=False)


def max_over(call: Call, x: Value, lines: Sequence[Line]) -> Value:
    """The largest in each window of `x` [N, C, ...]."""
    dtype = call.scope.dtype(x)
    least = float(np.finfo(np.float32).min) if not dtype.is_integer else dtype.range[0]
    for axis, line in enumerate(lines):
        x = _combined(call, x, axis + 2, line, "Max", least)
    return x


def average_over(call: Call, x: Value, lines: Sequence[Line], pads_count: bool) -> Value:
    """The mean of each window of `x` [N, C, ...]."""
    for axis, line in enumerate(lines):
        x = _combined(call, x, axis + 2, line, "Add", None)
    shares: Array = np.ones((1,) * len(lines))
    for axis, line in enumerate(lines):
        column = [-1 if a == axis else 1 for a in range(len(lines))]
        shares = shares / line.counted(pads_count).reshape(column)
    return combine(call, "Mul", x, Constant(shares.astype(np.float32)))


def _combined(call: Call, x: Value, axis: int, line: Line, kind: str, fill: float | None) -> Value:
    """The taps of `line` along `axis`, summed up or compared."""
    value, order = call.scope.orderly(x)
    tensor, place = call.scope.laid(value, order), order.index(axis)
    rank = len(order)
    if line.before or line.end:
        ends = [[n if a == place else 0 for a in range(rank)] for n in (line.before, line.end)]
        tensor = _padded(call, tensor, ends, line, fill)
    shape = call.scope.shape(tensor)
    taken = tuple(line.outputs if a == place else n for a, n in enumerate(shape))
    stride = tuple(line.stride if a == place else 1 for a in range(rank))
    logical = [line.outputs if a == axis else n for a, n in enumerate(value.layout.shape)]
    taps = []
    for tap in range(line.size):
        begin = tuple(tap * line.dilation if a == place else 0 for a in range(rank))
        piece = call.moved(Slice(begin, taken, stride), tensor)
        taps.append(Value(piece, Layout.of(logical, order)))
    return reduce(lambda a, b: combine(call, kind, a, b), taps)


def _padded(
    call: Call, tensor: str, ends: Sequence[list[int]], line: Line, fill: float | None
) -> str:
    """Around a maximum its edges repeated, which every window has that is not dilated."""
    if fill is not None and line.dilation == 1 and max(line.before, line.end) <= MAX_EDGE_STEPS:
        return repeat_edge(call, tensor, ends[0], ends[1])
    whole = fill is not None and call.scope.dtype_of(tensor).is_integer
    number = int(fill) if whole and fill is not None else fill
    return call.moved(Pad(tuple(ends[0]), tuple(ends[1]), number), tensor)
