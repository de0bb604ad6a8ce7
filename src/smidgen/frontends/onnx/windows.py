"""The attributes that convolutions and poolings share: kernel, stride, dilation, padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.frontends.onnx.call import Call
from smidgen.ops.support.window import Padding

MAX_WINDOW = 1 << 16


@dataclass(frozen=True, slots=True)
class Window:
    """A window over rows and columns; over one spatial axis the columns are 1 wide."""

    size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Padding

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns from the first tap to the last, inclusive."""
        rows, cols = ((s - 1) * d + 1 for s, d in zip(self.size, self.dilation, strict=True))
        return rows, cols


def pair(
    call: Call, name: str, numbers: Sequence[int], spatial: int, default: int
) -> tuple[int, int]:
    """`numbers` over one or two spatial axes as (rows, columns); a missing column is `default`."""
    if len(numbers) != spatial or any(not 0 < n <= MAX_WINDOW for n in numbers):
        call.damaged(f"{name} is {list(numbers)} for {spatial} spatial axes")
    return numbers[0], numbers[1] if spatial == 2 else default


def read_window(call: Call, space: Sequence[int], kernel: Sequence[int]) -> Window:
    """The window of a node over an input of rows and columns `space`; ceil_mode is not in it."""
    spatial = len(space)
    ones = (1,) * spatial
    size = pair(call, "kernel_shape", kernel, spatial, 1)
    stride = pair(call, "strides", call.numbers("strides") or ones, spatial, 1)
    dilation = pair(call, "dilations", call.numbers("dilations") or ones, spatial, 1)
    full = (space[0], space[1] if spatial == 2 else 1)
    return Window(size, stride, dilation, _padding(call, full, size, stride, dilation))


def _padding(
    call: Call,
    space: tuple[int, int],
    size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Padding:
    mode = call.text("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        same = Padding.same(space, size, stride, dilation)
        if mode == "SAME_UPPER":
            return same
        return Padding(same.bottom, same.top, same.right, same.left)
    if mode == "VALID":
        return Padding()
    if mode != "NOTSET":
        call.damaged(f"there is no auto_pad {mode!r}")
    return explicit_padding(call)


def explicit_padding(call: Call) -> Padding:
    """The padding that `pads` says: first all begins, then all ends."""
    pads = call.numbers("pads") or (0, 0, 0, 0)
    if len(pads) not in (2, 4) or any(not 0 <= pad <= MAX_WINDOW for pad in pads):
        call.refuse(f"pads {list(pads)}", "pad one or two axes by non-negative numbers")
    if len(pads) == 2:
        return Padding(pads[0], pads[1], 0, 0)
    return Padding(pads[0], pads[2], pads[1], pads[3])
