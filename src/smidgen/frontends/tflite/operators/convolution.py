"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, AVERAGE_POOL_2D, MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.core.errors import ModelFileError, UnsupportedOp, UnsupportedType
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator, TfliteTensor
from smidgen.frontends.tflite.options import (
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Pool2DOptions,
)
from smidgen.frontends.tflite.schema import Padding as FilePadding
from smidgen.frontends.tflite.schema import TensorType, WeightsFormat
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.support.window import Padding

_QUANTA = (TensorType.INT4, TensorType.INT8, TensorType.INT16)


def explicit_padding(
    conversion: Conversion,
    operator: TfliteOperator,
    scheme: FilePadding,
    window: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> Padding:
    """SAME or VALID as explicit rows and columns."""
    shape = conversion.tensor(operator, 0).shape
    if len(shape) != 4:
        raise ModelFileError(conversion.where(operator), f"its input has the shape {shape}")
    if scheme is FilePadding.VALID:
        return Padding()
    return Padding.same(shape[1:3], window, stride, dilation)


def _window_of(conversion: Conversion, operator: TfliteOperator) -> tuple[int, int]:
    shape = conversion.tensor(operator, 1).shape
    if len(shape) != 4:
        raise ModelFileError(conversion.where(operator), f"its weights have the shape {shape}")
    return shape[1], shape[2]


def require_scales(
    conversion: Conversion,
    operator: TfliteOperator,
    images: Sequence[int],
    weights: Sequence[int] = (),
) -> None:
    """Inputs `images` and `weights` and the outputs must be floats, or signed quanta with scales.

    Images and outputs have one scale for all of their channels.
    """
    for place in (*images, *weights):
        tensor = conversion.tensor(operator, place)
        _require_scale(conversion, operator, tensor, place in images)
    for index in operator.outputs:
        _require_scale(conversion, operator, conversion.tensors[index], True)


def _require_scale(
    conversion: Conversion, operator: TfliteOperator, tensor: TfliteTensor, single: bool
) -> None:
    if tensor.dtype is TensorType.FLOAT32:
        return
    quant, kind = tensor.quantization, tensor.dtype.name.lower()
    if tensor.dtype not in _QUANTA or quant is None or (single and quant.is_per_channel):
        scales = "no scale" if quant is None else f"{len(quant.scales)} scales"
        raise UnsupportedType(
            conversion.where(operator),
            f"tensor {tensor.name!r} is {kind} with {scales}",
            "quantise the model to int8 or int16 activations",
        )


@converts("CONV_2D", "DEPTHWISE_CONV_2D")
def convolution(conversion: Conversion, operator: TfliteOperator) -> None:
    """Weights are OHWI, or 1HWO for the depthwise one: both are ours already."""
    require_scales(conversion, operator, [0], [1])
    is_full = operator.name == "CONV_2D"
    kind = Conv2DOptions if is_full else DepthwiseConv2DOptions
    options = conversion.options(operator, kind)
    assert isinstance(options, (Conv2DOptions, DepthwiseConv2DOptions))
    stride = (options.stride_h, options.stride_w)
    dilation = (options.dilation_h, options.dilation_w)
    window = _window_of(conversion, operator)
    padding = explicit_padding(conversion, operator, options.padding, window, stride, dilation)
    op_type = Conv2D if is_full else DepthwiseConv2D
    activation = conversion.activation(operator, options.activation)
    conversion.emit(operator, op_type(stride, padding, dilation, activation))


@converts("FULLY_CONNECTED")
def fully_connected(conversion: Conversion, operator: TfliteOperator) -> None:
    """Weights are OI."""
    require_scales(conversion, operator, [0], [1])
    options = conversion.options(operator, FullyConnectedOptions)
    if options.weights_format is not WeightsFormat.DEFAULT:
        raise UnsupportedOp(
            conversion.where(operator), "shuffled weights", "convert the model with plain weights"
        )
    activation = conversion.activation(operator, options.activation)
    conversion.emit(operator, Dense(activation, options.keep_num_dims))


@converts("AVERAGE_POOL_2D", "MAX_POOL_2D")
def pooling(conversion: Conversion, operator: TfliteOperator) -> None:
    """A window, a stride, SAME or VALID."""
    require_scales(conversion, operator, [0])
    options = conversion.options(operator, Pool2DOptions)
    window = (options.filter_height, options.filter_width)
    stride = (options.stride_h, options.stride_w)
    padding = explicit_padding(conversion, operator, options.padding, window, stride)
    op_type = AveragePool2D if operator.name == "AVERAGE_POOL_2D" else MaxPool2D
    activation = conversion.activation(operator, options.activation)
    conversion.emit(operator, op_type(window, stride, padding, activation))
