"""Quantised operators, written as what they mean: real arithmetic between quanta.

Each becomes Dequantize, the op in float32, and Quantize; `integers` then turns such a group into
one op on quanta. uint8 becomes int8 throughout: 128 less, and so are the zero points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.frontends.onnx.call import Call, Lowering
from smidgen.frontends.onnx.convolution import convolve
from smidgen.frontends.onnx.elementwise import combine, converted, unary
from smidgen.frontends.onnx.narrow import NARROW_INTEGERS, bits_of
from smidgen.frontends.onnx.pooling import averaged
from smidgen.frontends.onnx.products import dense, multiply, transpose_last
from smidgen.frontends.onnx.shaping import joined
from smidgen.frontends.onnx.tensors import (
    ACTIVATIONS,
    INT8,
    INT16,
    UINT8,
    UINT16,
    UNSIGNED_OFFSET,
    element_of,
    limits_of,
    numpy_type,
    require_roundable,
    type_name,
)
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.functions import LeakyRelu, Logistic
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.elementwise.unary import Round
from smidgen.ops.pool.ops import AveragePool2D
from smidgen.ops.quantization.ops import Dequantize, Quantize


def scales_of(
    call: Call, shape: Sequence[int], scale: Array, zero_point: Array | None
) -> tuple[Array, Array]:
    """Scale and zero point that broadcast over `shape`: one, one a slice, or one a block."""
    zeros = np.zeros((), np.int64) if zero_point is None else zero_point.astype(np.int64)
    if scale.size == 1:
        return scale.astype(np.float64).reshape(()), zeros.reshape(-1)[:1].reshape(())
    axis, block = call.axis(1, len(shape)), call.attribute("block_size", 0)
    if block:
        return _by_blocks(call, shape, (scale, zeros), axis, block)
    if scale.ndim != 1 or len(scale) != shape[axis] or zeros.size not in (1, len(scale)):
        call.damaged(f"{scale.shape} scales along axis {axis} of {list(shape)}")
    column = [-1 if a == axis else 1 for a in range(len(shape))]
    spread = np.broadcast_to(zeros.reshape(-1), scale.shape)
    return scale.astype(np.float64).reshape(column), spread.reshape(column)


def _by_blocks(
    call: Call, shape: Sequence[int], given: tuple[Array, Array], axis: int, block: int
) -> tuple[Array, Array]:
    """One number for `block` neighbours along `axis`, repeated for each."""
    scale, zeros = given[0].astype(np.float64), np.broadcast_to(given[1], given[0].shape)
    wanted = [-(-n // block) if a == axis else n for a, n in enumerate(shape)]
    if block < 1 or list(scale.shape) != wanted:
        call.damaged(f"{scale.shape} scales for blocks of {block} in {list(shape)}")
    each, rest = (np.repeat(part, block, axis) for part in (scale, zeros))
    kept = [slice(0, n) for n in shape]
    return each[tuple(kept)], rest[tuple(kept)]


def real_constant(call: Call, quanta: Array, scale: Array, zero_point: Array | None) -> Constant:
    """Dequantised numbers that remember their unit."""
    unit, zeros = scales_of(call, quanta.shape, scale, zero_point)
    whole = quanta.astype(np.float64 if quanta.dtype.kind == "f" else np.int64)
    remembered = None if call.attribute("block_size", 0) else unit
    return Constant(((whole - zeros) * unit).astype(np.float32), remembered)


def single(call: Call, scale: Array, zero_point: Array | None, unsigned: bool) -> Quantization:
    """The quantisation of an activation, whose quanta are int8."""
    if scale.size != 1 or (zero_point is not None and zero_point.size != 1):
        call.refuse("an activation is quantised by channel", "quantise activations by tensor")
    factor = float(scale.reshape(-1)[0])
    zero = 0 if zero_point is None else int(zero_point.reshape(-1)[0])
    if not (np.isfinite(factor) and factor > 0.0):
        call.damaged(f"its scale is {factor}")
    return Quantization((factor,), (zero - (UNSIGNED_OFFSET if unsigned else 0),))


def to_real(call: Call, x: Operand, scale: Array, zero_point: Array | None) -> Operand:
    """The real numbers that quanta stand for."""
    if isinstance(x, Constant):
        return real_constant(call, x.values, scale, zero_point)
    tensor = call.scope.builder.tensor(x.tensor)
    if tensor.quantization is None:
        return _real_numbers(call, x, scale, zero_point)
    meant = (single(call, scale, zero_point, unsigned) for unsigned in _signs(zero_point))
    if not any(_same(tensor.quant, quant) for quant in meant):
        call.refuse(
            "quanta are dequantised with another scale than they were quantised with",
            "use one scale and zero point for both",
        )
    return _dequantized(call, x)


def _real_numbers(call: Call, x: Value, scale: Array, zero_point: Array | None) -> Operand:
    """Scale * (x - zero point), computed on whole numbers that are no int8 quanta."""
    unit, zeros = scales_of(call, x.layout.shape, scale, zero_point)
    real: Operand = converted(call, x, DType.FLOAT32)
    if zeros.any():
        real = combine(call, "Sub", real, Constant(zeros.astype(np.float32)))
    return combine(call, "Mul", real, Constant(unit.astype(np.float32)))


def _dequantized(call: Call, x: Value) -> Value:
    reals = call.scope.reals
    if x.tensor not in reals:
        (reals[x.tensor],) = call.scope.add(Dequantize(), [x.tensor], call.stem)
    return Value(reals[x.tensor], x.layout)


def _signs(zero_point: Array | None) -> tuple[bool, ...]:
    """Whether a zero point counts in uint8; one that is not given may be of either type."""
    return (True, False) if zero_point is None else (zero_point.dtype == np.uint8,)


def _same(a: Quantization, b: Quantization) -> bool:
    return a.zero_points == b.zero_points and np.float32(a.scale) == np.float32(b.scale)


def to_quanta(
    call: Call, x: Operand, scale: Array, zero_point: Array | None, unsigned: bool
) -> Operand:
    """The nearest quanta of 8 bits, saturated; of constants too."""
    if isinstance(x, Constant):
        kind = np.uint8 if unsigned else np.int8
        return _rounded_constant(call, x, scale, zero_point, np.dtype(kind))
    _require_float(call, x)
    quant = single(call, scale, zero_point, unsigned)
    (quanta,) = call.scope.add(Quantize(DType.INT8), [x.tensor], call.stem, quant)
    return Value(quanta, x.layout)


def _require_float(call: Call, x: Value) -> None:
    if call.scope.dtype(x) is not DType.FLOAT32:
        call.refuse(f"it quantises {call.scope.dtype(x).label}", "quantise real numbers")


def _rounded_constant(
    call: Call, x: Constant, scale: Array, zero_point: Array | None, kind: np.dtype[np.generic]
) -> Constant:
    """A constant's quanta of the type of the zero point, or of `kind` where none is given."""
    unit, zeros = scales_of(call, x.shape, scale, zero_point)
    dtype = kind if zero_point is None else zero_point.dtype
    info = np.iinfo(dtype)
    single_unit = x.values.astype(np.float32) / unit.astype(np.float32)
    return Constant(np.clip(np.rint(single_unit) + zeros, info.min, info.max).astype(dtype))


def _rounded(call: Call, x: Value, scale: Array, zero_point: Array | None, element: int) -> Value:
    """Quanta of any integer type, by slices or blocks too: computed in float32, without a unit."""
    _require_float(call, x)
    unit, zeros = scales_of(call, x.layout.shape, scale, zero_point)
    divided = combine(call, "Div", x, Constant(unit.astype(np.float32)))
    assert isinstance(divided, Value)
    whole = unary(call, Round(), divided)
    if zeros.any():
        whole = combine(call, "Add", whole, Constant(zeros.astype(np.float32)))
    low, high = limits_of(element)
    above = combine(call, "Max", whole, Constant(np.asarray(low, np.float32)))
    inside = combine(call, "Min", above, Constant(np.asarray(high, np.float32)))
    made = converted(call, inside, ACTIVATIONS[element])
    if bits_of(element):
        call.scope.elements[made.tensor] = element
    return made


def dequantize_linear(call: Call) -> Operand:
    """(x - zero point) * scale."""
    zero = call.optional_constant(2, "zero point")
    return to_real(call, call.operand(0), call.constant(1, "scale"), zero)


def quantize_linear(call: Call) -> Operand:
    """round(x / scale) + zero point, saturated."""
    given, x, scale = call.optional(2), call.operand(0), call.constant(1, "scale")
    zero = call.optional_constant(2, "zero point")
    element = call.attribute("output_dtype", 0) or UINT8
    if isinstance(given, Constant):
        element = given.element or element_of(given.values)
    require_roundable(element, call.place)
    if element not in (INT8, UINT8, *NARROW_INTEGERS, INT16, UINT16):
        call.refuse(f"it quantises to {type_name(element)}", "quantise to 16 bits or fewer")
    if element in NARROW_INTEGERS and isinstance(x, Constant):
        call.refuse("a constant is quantised to few bits", "store it quantised")
    if isinstance(x, Constant):
        return _rounded_constant(call, x, scale, zero, numpy_type(element, call.place))
    if element not in (INT8, UINT8) or scale.size != 1:
        return _rounded(call, x, scale, zero, element)
    return to_quanta(call, x, scale, zero, element == UINT8)


def _real_at(call: Call, index: int) -> Operand:
    """The real numbers of inputs (x, scale, zero point) from `index` on."""
    zero = call.optional_constant(index + 2, "zero point")
    return to_real(call, call.operand(index), call.constant(index + 1, "scale"), zero)


def _real_value_at(call: Call, index: int) -> Value:
    return call.scope.as_value(_real_at(call, index), call.stem)


def _quantized(call: Call, y: Operand, index: int) -> Operand:
    """`y` with the scale and zero point of inputs `index` and the next."""
    zero = call.optional_constant(index + 1, "zero point")
    unsigned = zero is None or zero.dtype == np.uint8
    return to_quanta(call, y, call.constant(index, "scale"), zero, unsigned)


def qlinear_conv(call: Call) -> Operand:
    """A convolution of quanta; its weights may be quantised by output channel."""
    x, weights = _real_value_at(call, 0), _weights(call, 3, 0)
    bias = call.optional_constant(8, "bias")
    if bias is not None:
        units = weights.units_along(0)
        assert units is not None
        bias = bias.astype(np.float64) * float(call.constant(1, "scale").reshape(-1)[0]) * units
    return _quantized(call, convolve(call, x, weights, bias), 6)


def _weights(call: Call, index: int, axis: int) -> Constant:
    """Constant weights of inputs (w, scale, zero point), by tensor or along `axis`."""
    quanta, scale = call.constant(index, "weights"), call.constant(index + 1, "scale")
    zero = call.optional_constant(index + 2, "zero point")
    unit = _along(call, scale.astype(np.float64), quanta, axis)
    zeros = np.zeros((), np.int64) if zero is None else zero.astype(np.int64)
    values = (quanta.astype(np.int64) - _along(call, zeros, quanta, axis)) * unit
    return Constant(values.astype(np.float32), unit)


def _along(call: Call, numbers: Array, quanta: Array, axis: int) -> Array:
    """One number, or one for each slice of `axis`, shaped to broadcast against `quanta`."""
    if numbers.size == 1:
        return numbers.reshape(())
    if not -quanta.ndim <= axis < quanta.ndim or numbers.size != quanta.shape[axis]:
        call.damaged(f"{numbers.size} scales or zero points for weights {list(quanta.shape)}")
    column = [-1 if a == axis % quanta.ndim else 1 for a in range(quanta.ndim)]
    return numbers.reshape(column)


def qlinear_matmul(call: Call) -> Operand:
    """A matrix product of quanta."""
    second: Operand = call.operand(3)
    second = _weights(call, 3, -1) if isinstance(second, Constant) else _real_at(call, 3)
    return _quantized(call, multiply(call, _real_at(call, 0), second), 6)


def qgemm(call: Call) -> Operand:
    """Alpha * A' B' + C of quanta; without an output scale the result is real."""
    if call.attribute("transA", 0):
        call.refuse("transA", "transpose the constant instead")
    turned = bool(call.attribute("transB", 0))
    matrix: Operand = _weights(call, 3, 0 if turned else 1)
    matrix = transpose_last(matrix) if turned else matrix
    alpha = call.real("alpha", 1.0)
    assert isinstance(matrix, Constant)
    units = matrix.units_along(1)
    bias, scale = call.optional_constant(6, "bias"), float(call.constant(1, "scale").reshape(-1)[0])
    if bias is not None and units is not None:
        bias = np.broadcast_to(bias.reshape(-1), units.shape) * scale * units * alpha
    unit = None if matrix.unit is None else matrix.unit * alpha
    y = dense(call, _real_value_at(call, 0), Constant(matrix.values * alpha, unit), bias)
    return y if call.optional(7) is None else _quantized(call, y, 7)


def qlinear_binary(kind: str) -> Lowering:
    """The lowering of a sum or product of quanta."""

    def lower(call: Call) -> Operand:
        return _quantized(call, combine(call, kind, _real_at(call, 0), _real_at(call, 3)), 6)

    return lower


def qlinear_unary(function: Callable[[Call, Value], Value]) -> Lowering:
    """The lowering of a function of quanta: (x, scale, zero point, scale, zero point)."""

    def lower(call: Call) -> Operand:
        return _quantized(call, function(call, _real_value_at(call, 0)), 3)

    return lower


def _sigmoid(call: Call, x: Value) -> Value:
    return unary(call, Logistic(), x)


def _leaky_relu(call: Call, x: Value) -> Value:
    return unary(call, LeakyRelu(call.real("alpha", 0.01)), x)


def _softmax(call: Call, x: Value) -> Value:
    if not x.layout.is_suffix(call.axis(-1, len(x.layout.axes))):
        call.refuse("softmax over an axis that does not lie innermost", "use the last axis")
    return unary(call, Softmax(), x)


def _global_average(call: Call, x: Value) -> Value:
    if call.attribute("channels_last", 0):
        call.refuse("channels_last", "export with channels first")
    tensor = call.image(x)
    _, rows, cols, _ = call.scope.shape(tensor)
    op = AveragePool2D((rows, cols), (rows, cols))
    return call.as_image(call.emit(op, [tensor]), len(x.layout.axes))


def _average(call: Call, x: Value) -> Value:
    if call.attribute("channels_last", 0):
        call.refuse("channels_last", "export with channels first")
    return averaged(call, x)


def qlinear_concat(call: Call) -> Operand:
    """Quanta of several scales, joined: (scale, zero point of y), then triples."""
    count = (len(call.operands) - 2) // 3
    parts = [_real_at(call, 2 + 3 * index) for index in range(count)]
    return _quantized(call, joined(call, parts, call.attribute("axis", 1)), 0)


def conv_integer(call: Call) -> Value:
    """A convolution of quanta without scales: whole numbers, computed as reals."""
    return _whole(call, lambda x, w: convolve(call, x, w, None), 0)


def matmul_integer(call: Call) -> Value:
    """A matrix product of quanta without scales: whole numbers, computed as reals."""
    return _whole(call, lambda x, w: multiply(call, x, w), -1)


def _whole(call: Call, product: Callable[[Value, Constant], Value], axis: int) -> Value:
    """The product of the real numbers that stand behind quanta, over their scale."""
    quanta = call.known(1, "weights").values
    zero, weights_zero = (call.optional_constant(i, "zero point") for i in (2, 3))
    x = call.operand(0)
    tensor = call.scope.builder.tensor(x.tensor) if isinstance(x, Value) else None
    if tensor is None or tensor.quantization is None:
        call.refuse("its input is not quantised by QuantizeLinear", "quantise the model statically")
    scale = np.asarray(tensor.quant.scale, np.float32)
    real = to_real(call, x, scale, zero)
    zeros = np.zeros((), np.int64) if weights_zero is None else weights_zero.astype(np.int64)
    centred = quanta.astype(np.int64) - _along(call, zeros, quanta, axis)
    unit = 1.0 / scale.astype(np.float64)
    assert isinstance(real, Value)
    return product(real, Constant((centred * unit).astype(np.float32), unit))


def dynamic_quantize(call: Call) -> Value:
    """Scales that are computed at run time: refused."""
    return call.refuse(
        "its scale is computed at run time",
        "quantise the model statically (onnxruntime's quantize_static), "
        "or give smidgen the float model and --calibrate",
    )


QUANTIZED: Mapping[str, Lowering] = {
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "QGemm": qgemm,
    "QLinearAdd": qlinear_binary("Add"),
    "QLinearMul": qlinear_binary("Mul"),
    "QLinearSigmoid": qlinear_unary(_sigmoid),
    "QLinearLeakyRelu": qlinear_unary(_leaky_relu),
    "QLinearSoftmax": qlinear_unary(_softmax),
    "QLinearGlobalAveragePool": qlinear_unary(_global_average),
    "QLinearAveragePool": qlinear_unary(_average),
    "QLinearConcat": qlinear_concat,
    "ConvInteger": conv_integer,
    "MatMulInteger": matmul_integer,
    "DynamicQuantizeLinear": dynamic_quantize,
}
