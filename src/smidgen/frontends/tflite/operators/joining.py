"""CONCATENATION, PACK, SPLIT and their kin, and SLICE and its kin: parts of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.shaping import axis_of, ints
from smidgen.frontends.tflite.options import (
    ConcatenationOptions,
    PackOptions,
    StridedSliceOptions,
    UnpackOptions,
)
from smidgen.frontends.tflite.schema import Activation
from smidgen.ops.shape.join import Concat, Pack, Split, Unpack
from smidgen.ops.shape.slicing import Slice


@converts("CONCATENATION")
def concatenation(conversion: Conversion, operator: TfliteOperator) -> None:
    """Micro takes no fused activation, and copies quanta as they are."""
    options = conversion.options(operator, ConcatenationOptions)
    if options.activation is not Activation.NONE:
        raise UnsupportedOp(
            conversion.where(operator),
            f"fused activation {options.activation.name}",
            "export the activation as a layer of its own",
        )
    rank = len(conversion.tensor(operator, 0).shape)
    conversion.emit(operator, Concat(axis_of(conversion, operator, options.axis, rank)))


@converts("PACK")
def pack(conversion: Conversion, operator: TfliteOperator) -> None:
    """A new axis."""
    options = conversion.options(operator, PackOptions)
    rank = len(conversion.tensor(operator, 0).shape) + 1
    conversion.emit(operator, Pack(axis_of(conversion, operator, options.axis, rank)))


@converts("UNPACK")
def unpack(conversion: Conversion, operator: TfliteOperator) -> None:
    """An axis goes."""
    options = conversion.options(operator, UnpackOptions)
    rank = len(conversion.tensor(operator, 0).shape)
    axis = axis_of(conversion, operator, options.axis, rank)
    _check_count(conversion, operator, conversion.tensor(operator, 0).shape[axis])
    conversion.emit(operator, Unpack(axis))


@converts("SPLIT")
def split(conversion: Conversion, operator: TfliteOperator) -> None:
    """Into equal pieces; the axis is the first input."""
    shape = conversion.tensor(operator, 1).shape
    axis = axis_of(conversion, operator, _single(conversion, operator, 0), len(shape))
    count = len(operator.outputs)
    if not count or shape[axis] % count:
        raise ModelFileError(conversion.where(operator), f"cuts {shape} into {count}")
    conversion.emit(operator, Split(axis, (shape[axis] // count,) * count), [1])


@converts("SPLIT_V")
def split_v(conversion: Conversion, operator: TfliteOperator) -> None:
    """Into pieces of given sizes, of which one may be -1: what is left."""
    shape = conversion.tensor(operator, 0).shape
    axis = axis_of(conversion, operator, _single(conversion, operator, 2), len(shape))
    sizes = list(ints(conversion, operator, 1))
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = shape[axis] - sum(size for size in sizes if size >= 0)
    _check_count(conversion, operator, len(sizes))
    if min(sizes, default=0) < 0:
        raise ModelFileError(conversion.where(operator), f"cuts {shape} into {sizes}")
    conversion.emit(operator, Split(axis, tuple(sizes)), [0])


def _single(conversion: Conversion, operator: TfliteOperator, position: int) -> int:
    values = ints(conversion, operator, position)
    if len(values) != 1:
        raise ModelFileError(conversion.where(operator), f"input {position} is no single number")
    return values[0]


def _check_count(conversion: Conversion, operator: TfliteOperator, pieces: int) -> None:
    if len(operator.outputs) != pieces:
        raise ModelFileError(
            conversion.where(operator), f"has {len(operator.outputs)} outputs for {pieces} pieces"
        )


@converts("SLICE")
def slice_(conversion: Conversion, operator: TfliteOperator) -> None:
    """Begin and size; a size of -1 is what is left."""
    shape = conversion.tensor(operator, 0).shape
    begin, given = ints(conversion, operator, 1), ints(conversion, operator, 2)
    if not len(shape) == len(begin) == len(given):
        raise ModelFileError(conversion.where(operator), f"slices {shape} at {begin}, {given}")
    size = [
        extent - first if wanted == -1 else wanted
        for extent, first, wanted in zip(shape, begin, given, strict=True)
    ]
    conversion.emit(operator, Slice(begin, tuple(size), (1,) * len(shape)), [0])


@converts("REVERSE_V2")
def reverse(conversion: Conversion, operator: TfliteOperator) -> None:
    """A slice that walks backwards along the given axes."""
    shape = conversion.tensor(operator, 0).shape
    backwards = {
        axis_of(conversion, operator, axis, len(shape)) for axis in ints(conversion, operator, 1)
    }
    begin = tuple(extent - 1 if axis in backwards else 0 for axis, extent in enumerate(shape))
    stride = tuple(-1 if axis in backwards else 1 for axis in range(len(shape)))
    conversion.emit(operator, Slice(begin, shape, stride), [0])


@converts("STRIDED_SLICE")
def strided_slice(conversion: Conversion, operator: TfliteOperator) -> None:
    """Begin, end and stride, with masks; new axes and an ellipsis Micro does not take."""
    options = conversion.options(operator, StridedSliceOptions)
    if options.new_axis_mask or options.ellipsis_mask or options.offset:
        raise UnsupportedOp(
            conversion.where(operator),
            "uses new_axis_mask, ellipsis_mask or offset",
            "slice all axes explicitly and reshape afterwards",
        )
    shape = conversion.tensor(operator, 0).shape
    begin, end, stride = (ints(conversion, operator, position) for position in (1, 2, 3))
    if not len(shape) == len(begin) == len(end) == len(stride) or 0 in stride:
        raise ModelFileError(
            conversion.where(operator), f"slices {shape} from {begin} to {end} by {stride}"
        )
    spans = [
        _Span.of(axis, shape[axis], (begin[axis], end[axis], stride[axis]), options)
        for axis in range(len(shape))
    ]
    conversion.emit(operator, _sliced(spans, options.shrink_axis_mask), [0])


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of one axis that is taken."""

    begin: int
    size: int
    stride: int

    @staticmethod
    def of(
        axis: int, extent: int, given: tuple[int, int, int], options: StridedSliceOptions
    ) -> _Span:
        """The masks of one axis applied, and what lies outside clamped (strided_slice_logic.h)."""
        begin, end, stride = given
        first, last = (0, extent) if stride > 0 else (-1, extent - 1)
        start = _clamped(begin, extent, first, last)
        if options.begin_mask >> axis & 1:
            start = first if stride > 0 else last
        if options.shrink_axis_mask >> axis & 1:
            return _Span(start, 1, 1)
        stop = _clamped(end, extent, first, last)
        if options.end_mask >> axis & 1:
            stop = last if stride > 0 else first
        return _Span(start, max(0, -((start - stop) // stride)), stride)


def _clamped(index: int, extent: int, first: int, last: int) -> int:
    return min(max(index + extent if index < 0 else index, first), last)


def _sliced(spans: Sequence[_Span], shrunk: int) -> Slice:
    return Slice(
        tuple(span.begin for span in spans),
        tuple(span.size for span in spans),
        tuple(span.stride for span in spans),
        tuple(axis for axis in range(len(spans)) if shrunk >> axis & 1),
    )
