"""RESHAPE and its kin, TRANSPOSE, broadcasts, blocks, padding: the shape of things."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator, TfliteTensor
from smidgen.frontends.tflite.options import (
    DepthToSpaceOptions,
    MirrorPadOptions,
    ReshapeOptions,
    SpaceToDepthOptions,
    SqueezeOptions,
)
from smidgen.frontends.tflite.schema import MirrorMode
from smidgen.ops.shape.arrange import BroadcastTo, DepthToSpace, SpaceToDepth, Transpose
from smidgen.ops.shape.batches import BatchToSpace, Margins, SpaceToBatch
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import MirrorPad, Pad


def output_of(conversion: Conversion, operator: TfliteOperator, position: int = 0) -> TfliteTensor:
    """The file's tensor at output `position`."""
    if position >= len(operator.outputs):
        raise ModelFileError(conversion.where(operator), f"lacks its output {position}")
    return conversion.tensors[operator.outputs[position]]


def ints(conversion: Conversion, operator: TfliteOperator, position: int) -> tuple[int, ...]:
    """A constant operand as a flat tuple of whole numbers."""
    values = conversion.constant(operator, position)
    if values.dtype.kind not in "iu":
        raise ModelFileError(conversion.where(operator), f"input {position} is {values.dtype}")
    return tuple(int(value) for value in values.reshape(-1))


def axis_of(conversion: Conversion, operator: TfliteOperator, axis: int, rank: int) -> int:
    """`axis` counted from the front; raises ModelFileError where a tensor of `rank` has none."""
    if not -rank <= axis < rank:
        raise ModelFileError(conversion.where(operator), f"axis {axis} of a tensor of {rank} axes")
    return axis % rank


@converts("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def reshape(conversion: Conversion, operator: TfliteOperator) -> None:
    """The output's shape in the file; what the operands say where that is a placeholder."""
    given, shape = conversion.tensor(operator, 0).shape, output_of(conversion, operator).shape
    if math.prod(given) != math.prod(shape):
        shape = _SHAPES[operator.name](conversion, operator, given)
    conversion.emit(operator, Reshape(shape), [0])


def _reshaped(
    conversion: Conversion, operator: TfliteOperator, given: tuple[int, ...]
) -> tuple[int, ...]:
    """The wanted shape, in which one -1 stands for what is left."""
    if conversion.has_input(operator, 1):
        wanted = ints(conversion, operator, 1)
    else:
        wanted = conversion.options(operator, ReshapeOptions).new_shape
    rest = math.prod(size for size in wanted if size != -1)
    return tuple(math.prod(given) // max(rest, 1) if size == -1 else size for size in wanted)


def _squeezed(
    conversion: Conversion, operator: TfliteOperator, given: tuple[int, ...]
) -> tuple[int, ...]:
    """Without the axes that are named; none named means all of size 1."""
    named = conversion.options(operator, SqueezeOptions).squeeze_dims
    gone = {axis_of(conversion, operator, axis, len(given)) for axis in named}
    gone = gone or {axis for axis, size in enumerate(given) if size == 1}
    return tuple(size for axis, size in enumerate(given) if axis not in gone)


def _expanded(
    conversion: Conversion, operator: TfliteOperator, given: tuple[int, ...]
) -> tuple[int, ...]:
    """With one more axis."""
    (named,) = ints(conversion, operator, 1)[:1] or (0,)
    axis = axis_of(conversion, operator, named, len(given) + 1)
    return (*given[:axis], 1, *given[axis:])


_ShapeRule = Callable[[Conversion, TfliteOperator, tuple[int, ...]], tuple[int, ...]]
_SHAPES: Mapping[str, _ShapeRule] = {
    "RESHAPE": _reshaped,
    "SQUEEZE": _squeezed,
    "EXPAND_DIMS": _expanded,
}


@converts("TRANSPOSE")
def transpose(conversion: Conversion, operator: TfliteOperator) -> None:
    """By a constant permutation, whose axes may be counted from the end."""
    rank = len(conversion.tensor(operator, 0).shape)
    axes = [axis_of(conversion, operator, axis, rank) for axis in ints(conversion, operator, 1)]
    conversion.emit(operator, Transpose(tuple(axes)), [0])


@converts("BROADCAST_TO")
def broadcast_to(conversion: Conversion, operator: TfliteOperator) -> None:
    """To the shape in the second operand."""
    conversion.emit(operator, BroadcastTo(_wanted_shape(conversion, operator, 1)), [0])


@converts("FILL")
def fill(conversion: Conversion, operator: TfliteOperator) -> None:
    """One value, everywhere."""
    conversion.emit(operator, BroadcastTo(_wanted_shape(conversion, operator, 0)), [1])


def _wanted_shape(
    conversion: Conversion, operator: TfliteOperator, position: int
) -> tuple[int, ...]:
    """The shape that input `position` asks for; the file's where that is not known."""
    known = conversion.known(operator, position)
    if known is None or known.dtype.kind not in "iu":
        return output_of(conversion, operator).shape
    return tuple(int(size) for size in known.reshape(-1))


@converts("ZEROS_LIKE")
def zeros_like(conversion: Conversion, operator: TfliteOperator) -> None:
    """Micro writes the quantum 0, whatever the zero point."""
    output = output_of(conversion, operator)
    emit_constant(conversion, operator, np.zeros((), conversion.dtype(output).numpy))


@converts("SHAPE")
def shape_of(conversion: Conversion, operator: TfliteOperator) -> None:
    """Known at compile time."""
    emit_constant(conversion, operator, np.array(conversion.tensor(operator, 0).shape))


@converts("BROADCAST_ARGS")
def broadcast_args(conversion: Conversion, operator: TfliteOperator) -> None:
    """The shape that two constant shapes broadcast to."""
    a, b = (ints(conversion, operator, position) for position in range(2))
    try:
        shape = np.broadcast_shapes(a, b)
    except ValueError:
        raise ModelFileError(
            conversion.where(operator), f"{a} does not broadcast against {b}"
        ) from None
    emit_constant(conversion, operator, np.array(shape))


def emit_constant(
    conversion: Conversion, operator: TfliteOperator, values: np.ndarray[tuple[int, ...], np.dtype]
) -> None:
    """The operator's output, known now; still a node, because outputs of a graph need one."""
    output = output_of(conversion, operator)
    shape = values.shape or output.shape
    name = conversion.add_constant(operator, conversion.dtype(output), values)
    conversion.emit_named(operator, BroadcastTo(shape), [name])


@converts("SPACE_TO_DEPTH")
def space_to_depth(conversion: Conversion, operator: TfliteOperator) -> None:
    """Square blocks."""
    options = conversion.options(operator, SpaceToDepthOptions)
    conversion.emit(operator, SpaceToDepth(options.block_size))


@converts("DEPTH_TO_SPACE")
def depth_to_space(conversion: Conversion, operator: TfliteOperator) -> None:
    """Square blocks."""
    options = conversion.options(operator, DepthToSpaceOptions)
    conversion.emit(operator, DepthToSpace(options.block_size))


@converts("SPACE_TO_BATCH_ND")
def space_to_batch(conversion: Conversion, operator: TfliteOperator) -> None:
    """Constant block and paddings."""
    block, margins = ints(conversion, operator, 1), _pairs(ints(conversion, operator, 2))
    conversion.emit(operator, SpaceToBatch(block, margins), [0])


@converts("BATCH_TO_SPACE_ND")
def batch_to_space(conversion: Conversion, operator: TfliteOperator) -> None:
    """Constant block and crops."""
    block, margins = ints(conversion, operator, 1), _pairs(ints(conversion, operator, 2))
    conversion.emit(operator, BatchToSpace(block, margins), [0])


@converts("PAD", "PADV2")
def pad(conversion: Conversion, operator: TfliteOperator) -> None:
    """Constant paddings; a third input is the value, in quanta."""
    margins = _pairs(ints(conversion, operator, 1))
    value: int | float | None = None
    if conversion.has_input(operator, 2):
        given = conversion.constant(operator, 2).reshape(-1)
        if len(given) != 1:
            raise ModelFileError(conversion.where(operator), f"pads with {len(given)} values")
        value = given[0].item()
    before, after = _unzip(margins)
    conversion.emit(operator, Pad(before, after, value), [0])


@converts("MIRROR_PAD")
def mirror_pad(conversion: Conversion, operator: TfliteOperator) -> None:
    """Constant paddings; REFLECT or SYMMETRIC."""
    options = conversion.options(operator, MirrorPadOptions)
    before, after = _unzip(_pairs(ints(conversion, operator, 1)))
    conversion.emit(operator, MirrorPad(before, after, options.mode is MirrorMode.REFLECT), [0])


def _pairs(flat: Sequence[int]) -> Margins:
    return tuple(zip(flat[0::2], flat[1::2], strict=False))


def _unzip(margins: Margins) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(before for before, _ in margins), tuple(after for _, after in margins)
