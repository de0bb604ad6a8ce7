"""BATCH_MATMUL."""

from __future__ import annotations

from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.convolution import require_scales
from smidgen.frontends.tflite.options import BatchMatMulOptions
from smidgen.ops.matmul.ops import BatchMatMul


@converts("BATCH_MATMUL")
def batch_matmul(conversion: Conversion, operator: TfliteOperator) -> None:
    """Either matrix may be transposed."""
    require_scales(conversion, operator, [0, 1])
    options = conversion.options(operator, BatchMatMulOptions)
    conversion.emit(operator, BatchMatMul(options.adj_x, options.adj_y))
