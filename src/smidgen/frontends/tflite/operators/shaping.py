"""RESHAPE, SQUEEZE, EXPAND_DIMS: the file's output shape says all."""

from __future__ import annotations

from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.ops.shape.ops import Reshape


@converts("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def reshape(conversion: Conversion, operator: TfliteOperator) -> None:
    """The shape operand, if any, is constant-folded by the exporter into the output's shape."""
    output = conversion.subgraph.tensors[operator.outputs[0]]
    conversion.emit(operator, Reshape(output.shape), [0])
