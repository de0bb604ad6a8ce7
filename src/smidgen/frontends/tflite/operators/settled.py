"""REDUCE_PROD, RANGE, RANK, WHERE: taken where they follow from constants.

Exporters compute shapes and positions with them, as for a dense layer over the last of three axes.
"""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.errors import ModelFileError, UnsupportedOp, UnsupportedType
from smidgen.frontends.tflite.conversion import LARGEST_KNOWN, Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.shaping import axis_of, emit_constant, ints, output_of
from smidgen.frontends.tflite.options import ReducerOptions


@converts("REDUCE_PROD")
def reduce_prod(conversion: Conversion, operator: TfliteOperator) -> None:
    """The product along constant axes; of integers, it wraps."""
    x = _plain(conversion, operator)
    axes = {axis_of(conversion, operator, axis, x.ndim) for axis in ints(conversion, operator, 1)}
    keep = conversion.options(operator, ReducerOptions).keep_dims
    with np.errstate(over="ignore"):
        product = np.prod(x, axis=tuple(axes), keepdims=keep, dtype=x.dtype)
    emit_constant(conversion, operator, np.asarray(product))


@converts("RANGE")
def range_(conversion: Conversion, operator: TfliteOperator) -> None:
    """From a start up to a limit, by a step."""
    start, limit, step = (_number(conversion, operator, position) for position in range(3))
    if step == 0 or not all(math.isfinite(value) for value in (start, limit, step)):
        raise ModelFileError(conversion.where(operator), f"from {start} to {limit} by {step}")
    count = max(0, math.ceil((limit - start) / step))
    if count > LARGEST_KNOWN:
        raise UnsupportedOp(
            conversion.where(operator),
            f"makes {count} values",
            f"{LARGEST_KNOWN} are the most; export them as a constant",
        )
    dtype = conversion.dtype(output_of(conversion, operator)).numpy
    emit_constant(conversion, operator, (start + step * np.arange(count)).astype(dtype))


def _number(conversion: Conversion, operator: TfliteOperator, position: int) -> float | int:
    values = conversion.constant(operator, position)
    if values.size != 1 or values.dtype.kind not in "iuf":
        raise ModelFileError(conversion.where(operator), f"input {position} is no single number")
    number: float | int = values.reshape(-1)[0].item()
    return number


@converts("RANK")
def rank(conversion: Conversion, operator: TfliteOperator) -> None:
    """How many axes."""
    emit_constant(conversion, operator, np.array(len(conversion.tensor(operator, 0).shape)))


@converts("WHERE")
def where(conversion: Conversion, operator: TfliteOperator) -> None:
    """Coordinates of what is not zero, a row for each."""
    condition = _plain(conversion, operator)
    if condition.ndim * condition.size > LARGEST_KNOWN:
        raise UnsupportedOp(
            conversion.where(operator),
            f"looks through {condition.size} values",
            "export the positions as a constant",
        )
    emit_constant(conversion, operator, np.argwhere(condition))


def _plain(conversion: Conversion, operator: TfliteOperator) -> Array:
    """The first operand, which must be known, and no quanta: their values are others."""
    if conversion.tensor(operator, 0).quantization is not None:
        raise UnsupportedType(
            conversion.where(operator), "is of quanta", "export it with an operand in float32"
        )
    return conversion.constant(operator, 0)
