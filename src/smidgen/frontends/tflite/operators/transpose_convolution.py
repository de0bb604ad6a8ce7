"""TRANSPOSE_CONV."""

from __future__ import annotations

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.convolution import require_scales
from smidgen.frontends.tflite.options import TransposeConvOptions
from smidgen.frontends.tflite.schema import Padding as FilePadding
from smidgen.ops.conv.transpose import TransposeConv2D
from smidgen.ops.support.window import Padding


@converts("TRANSPOSE_CONV")
def transpose_convolution(conversion: Conversion, operator: TfliteOperator) -> None:
    """Inputs are the output's shape, which is the file's anyway, weights, image, bias."""
    require_scales(conversion, operator, [2], [1])
    options = conversion.options(operator, TransposeConvOptions)
    weights = conversion.tensor(operator, 1).shape
    output = conversion.tensors[operator.outputs[0]].shape
    if len(weights) != 4 or len(output) != 4:
        raise ModelFileError(
            conversion.where(operator), f"weights {list(weights)} make output {list(output)}"
        )
    size, stride = (output[1], output[2]), (options.stride_h, options.stride_w)
    padding = Padding()
    if options.padding is FilePadding.SAME:
        padding = Padding.same(size, weights[1:3], stride, (1, 1))
    activation = conversion.activation(operator, options.activation)
    positions = [2, 1, 3] if conversion.has_input(operator, 3) else [2, 1]
    conversion.emit(operator, TransposeConv2D(size, stride, padding, activation), positions)
