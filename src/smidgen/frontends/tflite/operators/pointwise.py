"""ADD, SOFTMAX, RELU and its kin, QUANTIZE, DEQUANTIZE, CAST."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.options import AddOptions, SoftmaxOptions
from smidgen.ops.activation.ops import Clamp, Softmax
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.quantization.ops import Cast, Dequantize, Quantize
from smidgen.ops.support.activation import Activation


@converts("ADD")
def addition(conversion: Conversion, operator: TfliteOperator) -> None:
    """Broadcasts. Micro ignores the fused activation of an int32 sum, unlike TensorFlow Lite."""
    options = conversion.options(operator, AddOptions)
    activation = conversion.activation(operator, options.activation)
    if conversion.dtype(conversion.tensor(operator, 0)) is DType.INT32:
        activation = Activation.NONE
    conversion.emit(operator, Add(activation))


@converts("SOFTMAX")
def softmax(conversion: Conversion, operator: TfliteOperator) -> None:
    """Over the last axis; int8 may give int16."""
    beta = conversion.options(operator, SoftmaxOptions).beta
    output = conversion.dtype(conversion.tensors[operator.outputs[0]])
    same = output is conversion.dtype(conversion.tensor(operator, 0))
    conversion.emit(operator, Softmax(beta, None if same else output))


@converts("RELU", "RELU6", "RELU_N1_TO_1")
def relu(conversion: Conversion, operator: TfliteOperator) -> None:
    """A clamp that stands alone."""
    conversion.emit(operator, Clamp(Activation[operator.name]))


@converts("QUANTIZE")
def quantize(conversion: Conversion, operator: TfliteOperator) -> None:
    """To the type of the output."""
    output = conversion.tensors[operator.outputs[0]]
    conversion.emit(operator, Quantize(conversion.dtype(output)))


@converts("DEQUANTIZE")
def dequantize(conversion: Conversion, operator: TfliteOperator) -> None:
    """To float32."""
    conversion.emit(operator, Dequantize())


@converts("CAST")
def cast(conversion: Conversion, operator: TfliteOperator) -> None:
    """To the type of the output; the operator's options may be out of date."""
    output = conversion.tensors[operator.outputs[0]]
    conversion.emit(operator, Cast(conversion.dtype(output)))
