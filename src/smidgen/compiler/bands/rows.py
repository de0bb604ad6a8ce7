"""Which rows of its inputs an op needs for some rows of its output, and what it is for them alone.

The rows are axis 1 of NHWC tensors. An op that is not listed, or that mixes rows in another way,
has no rule, and runs on whole tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.activation.prelu import Prelu
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.elementwise.add_n import AddN
from smidgen.ops.elementwise.arithmetic import Div, Mul, SquaredDifference, Sub
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.quantization.ops import Cast, Dequantize, Quantize
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.padding import Pad
from smidgen.ops.support.unary import Unary

_ROWS = 1
"""The axis of the rows."""


@dataclass(frozen=True, slots=True)
class RowWindow:
    """Output row r is made of the `reach` input rows from r * `stride` - `before` on."""

    reach: int = 1
    stride: int = 1
    before: int = 0

    def first(self, row: int) -> int:
        """The first input row that output row `row` needs, in the padding if below 0."""
        return row * self.stride - self.before

    def end(self, rows: int, parts: int = 1) -> int:
        """The row behind the last that the first `rows` output rows need; may lie in the padding.

        Both are counted in parts, of which a row has `parts`.
        """
        return (rows - parts) * self.stride + (self.reach - self.before) * parts


def row_window(op: Op, signature: Signature) -> RowWindow | None:
    """The window of all inputs that have rows; None where the op has no rule.

    Inputs that are constant are read whole.
    """
    rule = next((_WINDOWS[kind] for kind in type(op).__mro__ if kind in _WINDOWS), None)
    moving = [
        tensor for tensor in signature.inputs if tensor is not None and not tensor.is_constant
    ]
    if rule is None or not moving or not all(map(_is_image, (*moving, *signature.outputs))):
        return None
    return rule(op, signature)


def padded_by(op: Op, top: int, bottom: int) -> Op:
    """`op` with so many rows of padding, in place of its own."""
    if isinstance(op, (Conv2D, DepthwiseConv2D, AveragePool2D, MaxPool2D)):
        return replace(op, padding=replace(op.padding, top=top, bottom=bottom))
    if isinstance(op, Pad):
        before, after = (_with_rows(op.before, top), _with_rows(op.after, bottom))
        return replace(op, before=before, after=after)
    assert top == bottom == 0, f"{op.kind} has no padding"
    return op


def _with_rows(sizes: tuple[int, ...], rows: int) -> tuple[int, ...]:
    return (*sizes[:_ROWS], rows, *sizes[_ROWS + 1 :])


def _is_image(tensor: Tensor) -> bool:
    by_row = tensor.quantization is not None and tensor.quantization.axis == _ROWS
    return len(tensor.shape) == 4 and tensor.shape[0] == 1 and not by_row


def _of_convolution(op: Op, signature: Signature) -> RowWindow | None:
    assert isinstance(op, (Conv2D, DepthwiseConv2D))
    weights = signature.input(1)
    if not weights.is_constant:
        return None
    reach = (weights.shape[1] - 1) * op.dilation[0] + 1
    return RowWindow(reach, op.stride[0], op.padding.top)


def _of_pooling(op: Op, signature: Signature) -> RowWindow | None:
    del signature
    assert isinstance(op, (AveragePool2D, MaxPool2D))
    return RowWindow(op.window[0], op.stride[0], op.padding.top)


def _of_pad(op: Op, signature: Signature) -> RowWindow | None:
    del signature
    assert isinstance(op, Pad)
    return RowWindow(before=op.before[_ROWS]) if not (op.before[0] or op.after[0]) else None


def _of_join(op: Op, signature: Signature) -> RowWindow | None:
    assert isinstance(op, Concat)
    return _row_by_row(op, signature) if op.axis > _ROWS else None


def _row_by_row(op: Op, signature: Signature) -> RowWindow | None:
    """Every input has the rows of the output, or is a constant that is the same for all rows."""
    del op
    rows = signature.output.shape[_ROWS]
    fits = (
        tensor.elements == 1 or len(tensor.shape) < 3 or tensor.shape[-3] == 1
        if tensor.is_constant
        else tensor.shape[_ROWS] == rows
        for tensor in signature.inputs
        if tensor is not None
    )
    return RowWindow() if all(fits) else None


_WINDOWS: Mapping[type[object], Callable[[Op, Signature], RowWindow | None]] = {
    Conv2D: _of_convolution,
    DepthwiseConv2D: _of_convolution,
    AveragePool2D: _of_pooling,
    MaxPool2D: _of_pooling,
    Pad: _of_pad,
    Concat: _of_join,
    **dict.fromkeys(
        (Add, Sub, Mul, Div, AddN, SquaredDifference, Minimum, Maximum, Unary, Clamp, Prelu),
        _row_by_row,
    ),
    **dict.fromkeys((Softmax, Quantize, Dequantize, Cast), _row_by_row),
}
