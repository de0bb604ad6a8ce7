"""GATHER and its kin, SELECT_V2, ARG_MAX, ARG_MIN, CUMSUM."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.shaping import axis_of, ints, output_of
from smidgen.frontends.tflite.options import CumsumOptions, GatherOptions
from smidgen.ops.index.gather import Gather, GatherNd, UpdateSlice
from smidgen.ops.index.ops import ArgMax, ArgMin, CumSum, Select
from smidgen.ops.quantization.ops import Cast, Dequantize


@converts("GATHER")
def gather(conversion: Conversion, operator: TfliteOperator) -> None:
    """Axis and batch axes may be counted from the end."""
    options = conversion.options(operator, GatherOptions)
    x, positions = (conversion.tensor(operator, place) for place in range(2))
    axis = axis_of(conversion, operator, options.axis, len(x.shape))
    batch_dims = options.batch_dims
    if batch_dims < 0:
        batch_dims += len(positions.shape)
    conversion.emit(operator, Gather(axis, batch_dims))


@converts("GATHER_ND")
def gather_nd(conversion: Conversion, operator: TfliteOperator) -> None:
    """Coordinates along the last axis."""
    conversion.emit(operator, GatherNd())


@converts("EMBEDDING_LOOKUP")
def embedding_lookup(conversion: Conversion, operator: TfliteOperator) -> None:
    """Rows of the second input; int8 rows become float where the output is."""
    rows, table = (conversion.name_at(conversion.tensor(operator, n).index) for n in range(2))
    wanted = conversion.dtype(output_of(conversion, operator))
    given = conversion.builder.tensor(table)
    if wanted is given.dtype:
        conversion.emit_named(operator, Gather(0), [table, rows])
        return
    if wanted is not DType.FLOAT32 or given.quantization is None:
        raise ModelFileError(conversion.where(operator), f"gives {wanted.label}")
    picked = conversion.add(operator, Gather(0), [table, rows], given.quantization)
    conversion.emit_named(operator, Dequantize(), [picked])


@converts("DYNAMIC_UPDATE_SLICE")
def update_slice(conversion: Conversion, operator: TfliteOperator) -> None:
    """Operand, update, begins."""
    conversion.emit(operator, UpdateSlice())


@converts("SELECT_V2")
def select(conversion: Conversion, operator: TfliteOperator) -> None:
    """Broadcasts; quanta are copied as they are."""
    conversion.emit(operator, Select())


@converts("ARG_MAX", "ARG_MIN")
def arg_extreme(conversion: Conversion, operator: TfliteOperator) -> None:
    """Along a constant axis; places in another type than int32 are converted, which Micro lacks."""
    rank = len(conversion.tensor(operator, 0).shape)
    (axis,) = _axis(conversion, operator)
    kind = ArgMax if operator.name == "ARG_MAX" else ArgMin
    op = kind(axis_of(conversion, operator, axis, rank))
    wanted = conversion.dtype(output_of(conversion, operator))
    if wanted is DType.INT32:
        conversion.emit(operator, op, [0])
        return
    place = conversion.add(operator, op, [conversion.input_name(operator, 0)])
    conversion.emit_named(operator, Cast(wanted), [place])


@converts("CUMSUM")
def cumsum(conversion: Conversion, operator: TfliteOperator) -> None:
    """Along a constant axis."""
    options = conversion.options(operator, CumsumOptions)
    rank = len(conversion.tensor(operator, 0).shape)
    (axis,) = _axis(conversion, operator)
    op = CumSum(axis_of(conversion, operator, axis, rank), options.exclusive, options.reverse)
    conversion.emit(operator, op, [0])


def _axis(conversion: Conversion, operator: TfliteOperator) -> tuple[int, ...]:
    values = ints(conversion, operator, 1)
    if len(values) != 1:
        raise ModelFileError(conversion.where(operator), f"names {len(values)} axes")
    return values
