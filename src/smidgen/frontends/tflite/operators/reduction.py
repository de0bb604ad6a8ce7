"""MEAN, SUM and the REDUCE_ family."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.shaping import axis_of, ints, output_of
from smidgen.frontends.tflite.options import ReducerOptions
from smidgen.graph.op import Op
from smidgen.ops.reduce.ops import Mean, ReduceAll, ReduceMax, ReduceMin, Sum

_OPS: Mapping[str, Callable[[tuple[int, ...], bool], Op]] = {
    "MEAN": Mean,
    "SUM": Sum,
    "REDUCE_MAX": ReduceMax,
    "REDUCE_MIN": ReduceMin,
    "REDUCE_ALL": ReduceAll,
}


@converts(*_OPS)
def reduction(conversion: Conversion, operator: TfliteOperator) -> None:
    """Along constant axes, which may be counted from the end and named twice."""
    options = conversion.options(operator, ReducerOptions)
    rank = len(conversion.tensor(operator, 0).shape)
    axes = {axis_of(conversion, operator, axis, rank) for axis in ints(conversion, operator, 1)}
    if operator.name in ("REDUCE_MAX", "REDUCE_MIN"):
        _check_scales(conversion, operator)
    conversion.emit(operator, _OPS[operator.name](tuple(sorted(axes)), options.keep_dims), [0])


def _check_scales(conversion: Conversion, operator: TfliteOperator) -> None:
    """Micro compares quanta, and so refuses other scales on the output."""
    before = conversion.quantization(conversion.tensor(operator, 0))
    after = conversion.quantization(output_of(conversion, operator))
    if before != after:
        raise UnsupportedOp(
            conversion.where(operator),
            "input and output differ in scale or zero point",
            "convert the model with equal quantisation here, or requantise afterwards",
        )
