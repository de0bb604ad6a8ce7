"""TILE, SELECT, REVERSE_SEQUENCE, L2_POOL_2D: operators that ops of other names make up."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.core.dtypes import DType
from smidgen.core.errors import ModelFileError, UnsupportedType
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.convolution import explicit_padding
from smidgen.frontends.tflite.operators.shaping import axis_of, ints
from smidgen.frontends.tflite.options import Pool2DOptions, ReverseSequenceOptions
from smidgen.ops.activation.ops import Clamp
from smidgen.ops.elementwise.unary import Sqrt, Square
from smidgen.ops.index.ops import Select
from smidgen.ops.pool.ops import AveragePool2D
from smidgen.ops.shape.arrange import BroadcastTo
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.support.activation import Activation


@converts("TILE")
def tile(conversion: Conversion, operator: TfliteOperator) -> None:
    """Repeated whole along each axis: a broadcast along new axes, which then merge."""
    x, repeats = conversion.tensor(operator, 0), ints(conversion, operator, 1)
    if len(repeats) != len(x.shape) or min(repeats, default=1) < 1:
        raise ModelFileError(conversion.where(operator), f"repeats {x.shape} {repeats} times")
    pairs = list(zip(repeats, x.shape, strict=True))
    quantization = conversion.quantization(x)
    apart = Reshape(tuple(n for extent in x.shape for n in (1, extent)))
    copied = BroadcastTo(tuple(n for pair in pairs for n in pair))
    name = conversion.add(operator, apart, [conversion.input_name(operator, 0)], quantization)
    name = conversion.add(operator, copied, [name], quantization)
    merged = Reshape(tuple(count * extent for count, extent in pairs))
    conversion.emit_named(operator, merged, [name])


@converts("SELECT")
def select(conversion: Conversion, operator: TfliteOperator) -> None:
    """As SELECT_V2, but that a condition of one axis chooses whole rows."""
    condition, chosen = (conversion.tensor(operator, place).shape for place in range(2))
    names = [conversion.input_name(operator, place) for place in range(3)]
    if len(condition) == 1 and len(chosen) > 1:
        rows = Reshape((*condition, *(1,) * (len(chosen) - 1)))
        names[0] = conversion.add(operator, rows, names[:1])
    conversion.emit_named(operator, Select(), names)


@converts("REVERSE_SEQUENCE")
def reverse_sequence(conversion: Conversion, operator: TfliteOperator) -> None:
    """The first so many elements of each row backwards, by constant lengths."""
    options = conversion.options(operator, ReverseSequenceOptions)
    shape, lengths = conversion.tensor(operator, 0).shape, ints(conversion, operator, 1)
    along = axis_of(conversion, operator, options.seq_dim, len(shape))
    rows = axis_of(conversion, operator, options.batch_dim, len(shape))
    sound = len(lengths) == shape[rows] and all(0 <= n <= shape[along] for n in lengths)
    if along == rows or not sound:
        raise ModelFileError(conversion.where(operator), f"turns {lengths} of {shape} round")
    whole = _Whole(conversion, operator, shape)
    if len(set(lengths)) == 1:
        conversion.emit_named(operator, Concat(along), whole.turned({}, along, lengths[0]))
        return
    each = [
        whole.joined(along, whole.turned({rows: row}, along, length))
        for row, length in enumerate(lengths)
    ]
    conversion.emit_named(operator, Concat(rows), each)


class _Whole:
    """A tensor that is cut up; its parts keep its quantisation."""

    def __init__(
        self, conversion: Conversion, operator: TfliteOperator, shape: tuple[int, ...]
    ) -> None:
        self._conversion, self._operator, self._shape = conversion, operator, shape
        self._name = conversion.input_name(operator, 0)
        self._quantization = conversion.builder.tensor(self._name).quantization

    def turned(self, fixed: dict[int, int], axis: int, length: int) -> list[str]:
        """The first `length` elements along `axis` backwards, and the rest: what there is of it.

        Of the axes in `fixed` only one place is taken.
        """
        parts = []
        if length:
            parts.append(self._part(fixed, axis, (length - 1, length, -1)))
        if length < self._shape[axis]:
            parts.append(self._part(fixed, axis, (length, self._shape[axis] - length, 1)))
        return parts

    def joined(self, axis: int, parts: Sequence[str]) -> str:
        """The parts one after the other."""
        return self._conversion.add(self._operator, Concat(axis), parts, self._quantization)

    def _part(self, fixed: dict[int, int], axis: int, span: tuple[int, int, int]) -> str:
        begin = [fixed.get(place, 0) for place in range(len(self._shape))]
        size = [1 if place in fixed else extent for place, extent in enumerate(self._shape)]
        stride = [1] * len(self._shape)
        begin[axis], size[axis], stride[axis] = span
        cut = Slice(tuple(begin), tuple(size), tuple(stride))
        return self._conversion.add(self._operator, cut, [self._name], self._quantization)


@converts("L2_POOL_2D")
def l2_pooling(conversion: Conversion, operator: TfliteOperator) -> None:
    """The root of the mean square of a window: floats only, as in Micro."""
    if conversion.dtype(conversion.tensor(operator, 0)) is not DType.FLOAT32:
        raise UnsupportedType(
            conversion.where(operator), "is not of floats", "use AVERAGE_POOL_2D or MAX_POOL_2D"
        )
    options = conversion.options(operator, Pool2DOptions)
    window = (options.filter_height, options.filter_width)
    stride = (options.stride_h, options.stride_w)
    padding = explicit_padding(conversion, operator, options.padding, window, stride)
    activation = conversion.activation(operator, options.activation)
    name = conversion.input_name(operator, 0)
    for op in (Square(), AveragePool2D(window, stride, padding)):
        name = conversion.add(operator, op, [name])
    if activation is Activation.NONE:
        conversion.emit_named(operator, Sqrt(), [name])
        return
    name = conversion.add(operator, Sqrt(), [name])
    conversion.emit_named(operator, Clamp(activation), [name])
