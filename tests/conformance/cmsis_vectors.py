"""The kernel vectors of CMSIS-NN as graphs: arrays, multipliers and offsets, and what is expected.

A vector names its multipliers as mantissa and shift. With an input and an output scale of 1 and a
weight scale of mantissa * 2**(shift - 31), a double, the graph computes with exactly these. Clamps
to arbitrary quanta are applied to the expected way out: a clamp of a clamp is the narrower clamp.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.graph import Graph
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization
from smidgen.ops.activation.ops import Softmax
from smidgen.ops.conv.ops import Conv2D, DepthwiseConv2D
from smidgen.ops.conv.transpose import TransposeConv2D
from smidgen.ops.dense.ops import Dense
from smidgen.ops.elementwise.arithmetic import Mul
from smidgen.ops.elementwise.extremes import Maximum, Minimum
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.matmul.ops import BatchMatMul
from smidgen.ops.pool.ops import AveragePool2D, MaxPool2D
from smidgen.ops.recurrent.lstm import Lstm
from smidgen.ops.recurrent.svdf import Svdf
from smidgen.ops.shape.arrange import Transpose
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.shape.padding import Pad
from smidgen.ops.state.ops import AssignState
from smidgen.ops.support.window import Padding

Inputs = Sequence[np.ndarray]

EARLIER_OFFSETS = {"conv_3_int4": (128, 0)}
"""Found by trial: of 250 outputs one unknown explains them all. Others have none."""


@dataclass(frozen=True)
class Vector:
    """A graph, the inputs of each run, and the outputs that are expected of the last run.

    `clamp` bounds the outputs beyond what the graph can say.
    """

    name: str
    graph: Graph
    runs: Sequence[Inputs]
    expected: np.ndarray
    clamp: tuple[int, int] | None = None

    def clamped(self, found: np.ndarray) -> np.ndarray:
        """The output with the vector's own bounds, flat."""
        flat = found.reshape(-1)
        return flat if self.clamp is None else np.clip(flat, *self.clamp)


class Arrays:
    """The arrays and numbers of one file, without the case's name before theirs."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._content = dict(np.load(path, allow_pickle=False))

    def has(self, *names: str) -> bool:
        """Whether all these arrays are there."""
        return all(f"{self.name}_{name}" in self._content for name in names)

    def array(self, *names: str) -> np.ndarray:
        """The first array of these names that is there."""
        for name in names:
            if self.has(name):
                return self._content[f"{self.name}_{name}"]
        raise KeyError(f"{self.name}: none of {names}")

    def number(self, *names: str, default: int | None = None) -> int:
        """The first macro of these names that is there."""
        for name in names:
            for key in (f"define_{self.name.upper()}_{name}", f"define_{name}"):
                if key in self._content:
                    return int(self._content[key])
        if default is None:
            raise KeyError(f"{self.name}: none of {names}")
        return default

    def real(self, mantissa: str, shift: str) -> float:
        """A multiplier."""
        return real(self.number(mantissa), self.number(shift))

    @property
    def is_mixed(self) -> bool:
        """Whether the case's folder held arrays of two generations, and macros of the later one.

        Of the earlier one only shapes, offsets and bounds are lost: batches follow from the sizes,
        bounds are taken from what is expected, and offsets are in `EARLIER_OFFSETS`.
        """
        return self.has("weights", "input_weights")

    def offset(self, side: str) -> int:
        """The offset of inputs or outputs."""
        if self.is_mixed:
            return EARLIER_OFFSETS.get(self.name, (0, 0))[side == "OUTPUT"]
        return self.number(f"{side}_OFFSET")

    def clamp(self) -> tuple[int, int] | None:
        """The bounds of the outputs."""
        if self.is_mixed:
            expected = self.array("output_ref")
            return int(expected.min()), int(expected.max())
        low = self.number("OUT_ACTIVATION_MIN", "ACTIVATION_MIN", default=-(1 << 31))
        return low, self.number("OUT_ACTIVATION_MAX", "ACTIVATION_MAX", default=(1 << 31) - 1)


def real(mantissa: int, shift: int) -> float:
    """A multiplier as a double, without loss."""
    return math.ldexp(mantissa, shift - 31)


def quant(scale: float = 1.0, zero_point: int = 0) -> Quantization:
    """One scale."""
    return Quantization((scale,), (zero_point,))


def _channels(scales: Sequence[float], axis: int) -> Quantization:
    return Quantization(tuple(scales), (0,) * len(scales), axis)


def _unpacked(raw: np.ndarray, count: int) -> np.ndarray:
    """int4 weights, two to a byte, the first in the low half."""
    halves = np.stack([raw << 4, raw], -1).astype(np.int8) >> 4
    return halves.reshape(-1)[:count]


def _weights(a: Arrays, b: GraphBuilder, shape: Sequence[int], scales: Quantization) -> str:
    raw, count = a.array("weights", "input_weights"), math.prod(shape)
    packed = raw.size < count
    values = _unpacked(raw, count) if packed else raw[:count]
    return b.constant("w", DType.INT4 if packed else DType.INT8, values.reshape(shape), scales)


def _bias(a: Arrays, b: GraphBuilder, count: int) -> list[str]:
    """None, or one; "xint32" in a name asks for sums in 32 bits, which a 32-bit bias decides."""
    for name in ("biases", "bias", "input_bias"):
        if a.has(name):
            values = a.array(name)
            return [b.constant("b", DType.parse(str(values.dtype)), values)]
    if "xint32" in a.name:
        return [b.constant("b", DType.INT32, np.zeros(count))]
    return []


def _factors(a: Arrays, axis: int) -> Quantization:
    mantissas = a.array("output_mult", "output_multiplier")
    shifts = a.array("output_shift")
    return _channels([real(int(m), int(s)) for m, s in zip(mantissas, shifts, strict=True)], axis)


def _image(a: Arrays, channels: str = "IN_CH") -> tuple[int, int, int, int]:
    image = a.number("INPUT_H"), a.number("INPUT_W"), a.number(channels)
    if a.is_mixed:
        return (a.array("input").size // math.prod(image), *image)
    return (a.number("INPUT_BATCHES", "BATCH_SIZE"), *image)


def _one(
    a: Arrays, b: GraphBuilder, op: Op, names: Sequence[str], x: np.ndarray, y: Quantization
) -> Vector:
    graph = b.finish(b.add(op, names, y))
    expected = a.array("output_ref", "output")
    return Vector(a.name, graph, [[x]], expected, a.clamp())


def _padded(pads: Sequence[int], sizes: Sequence[int], reach: Sequence[int],
            stride: Sequence[int], outputs: Sequence[int]) -> Padding:  # fmt: skip
    """Rows and columns before, as given; behind, as many as the output needs."""
    behind = [
        max((out - 1) * step + span - size - before, 0)
        for out, step, span, size, before in zip(outputs, stride, reach, sizes, pads, strict=True)
    ]
    return Padding(pads[0], behind[0], pads[1], behind[1])


def convolution(a: Arrays) -> Vector:
    """int8, int4 or int16; plain, grouped or depthwise; macros with X are columns."""
    shape, window, stride, dilation, pads = (
        _image(a),
        *(
            (a.number(f"{name}_Y"), a.number(f"{name}_X"))
            for name in ("FILTER", "STRIDE", "DILATION", "PAD")
        ),
    )
    outputs = a.number("OUTPUT_H"), a.number("OUTPUT_W")
    reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    padding = _padded(pads, shape[1:3], reach, stride, outputs)
    count, depthwise = a.number("OUT_CH"), a.number("CH_MULT", default=0) > 0
    b, x = GraphBuilder(a.name), a.array("input")[: math.prod(shape)].reshape(shape)
    dtype = DType.parse(str(x.dtype))
    names = [b.input("x", dtype, shape, quant(1.0, -a.offset("INPUT")))]
    if depthwise:
        names.append(_weights(a, b, (1, *window, count), _factors(a, 3)))
    else:
        packed = 2 if "int4" in a.name else 1
        depth = a.array("weights", "input_weights").size * packed // (count * math.prod(window))
        names.append(_weights(a, b, (count, *window, min(depth, shape[3])), _factors(a, 0)))
    op = (DepthwiseConv2D if depthwise else Conv2D)(stride, padding, dilation)
    return _one(a, b, op, [*names, *_bias(a, b, count)], x, quant(1.0, a.offset("OUTPUT")))


def transposed(a: Arrays) -> Vector:
    """Transposed convolutions; the `reverse_` ones are for another algorithm of theirs."""
    shape, b = _image(a), GraphBuilder(a.name)
    window, stride, pads, size = (
        (a.number(first), a.number(second))
        for first, second in (
            ("FILTER_Y", "FILTER_X"),
            ("STRIDE_Y", "STRIDE_X"),
            ("PAD_Y", "PAD_X"),
            ("OUTPUT_H", "OUTPUT_W"),
        )
    )
    x = a.array("input")[: math.prod(shape)].reshape(shape)
    names = [b.input("x", DType.INT8, shape, quant(1.0, -a.offset("INPUT")))]
    count = a.number("OUT_CH")
    names.append(_weights(a, b, (count, *window, shape[3]), _factors(a, 0)))
    padding = Padding(pads[0], 0, pads[1], 0)
    op = TransposeConv2D(size, stride, padding)
    return _one(a, b, op, [*names, *_bias(a, b, count)], x, quant(1.0, a.offset("OUTPUT")))


def dense(a: Arrays) -> Vector:
    """One multiplier for all outputs."""
    batches, count = a.number("INPUT_BATCHES", "BATCH_SIZE"), a.number("OUT_CH")
    depth, b = a.number("ACCUMULATION_DEPTH"), GraphBuilder(a.name)
    x = a.array("input").reshape(batches, depth)
    dtype = DType.parse(str(x.dtype))
    names = [b.input("x", dtype, x.shape, quant(1.0, -a.offset("INPUT")))]
    factor = quant(
        a.real("OUTPUT_MULTIPLIER", "OUTPUT_SHIFT"), -a.number("FILTER_OFFSET", default=0)
    )
    names.append(_weights(a, b, (count, depth), factor))
    return _one(a, b, Dense(), [*names, *_bias(a, b, count)], x, quant(1.0, a.offset("OUTPUT")))


def pooling(a: Arrays) -> Vector:
    """The average or the largest."""
    shape = (a.number("BATCH_SIZE"), a.number("INPUT_H"), a.number("INPUT_W"), a.number("INPUT_C"))
    window, stride, pads, outputs = (
        (a.number(f"{name}_H"), a.number(f"{name}_W"))
        for name in ("FILTER", "STRIDE", "PADDING", "OUTPUT")
    )
    padding = _padded(pads, shape[1:3], window, stride, outputs)
    b, x = GraphBuilder(a.name), a.array("input_tensor")
    x = x[: math.prod(shape)].reshape(shape)
    name = b.input("x", DType.parse(str(x.dtype)), shape, quant())
    op_type = AveragePool2D if a.name.startswith("avg") else MaxPool2D
    return _one(a, b, op_type(window, stride, padding), [name], x, quant())


def matrix_product(a: Arrays) -> Vector:
    """Two inputs of int16; either may be transposed."""
    b, runs, names = GraphBuilder(a.name), [], []
    for side, scale in (("LHS", 1.0), ("RHS", a.real("OUTPUT_MULTIPLIER", "OUTPUT_SHIFT"))):
        rows, cols = a.number(f"{side}_ROWS"), a.number(f"{side}_COLS")
        shape = (a.number(f"{side}_BATCH"), a.number(f"{side}_HEIGHT"), rows, cols)
        runs.append(a.array(f"{side.lower()}_input_tensor").reshape(shape))
        names.append(b.input(side.lower(), DType.INT16, shape, quant(scale)))
    op = BatchMatMul(bool(a.number("ADJ_X")), bool(a.number("ADJ_Y")))
    graph = b.finish(b.add(op, names, quant()))
    return Vector(a.name, graph, [runs], a.array("output"), a.clamp())


def extreme(a: Arrays) -> Vector:
    """Of two operands that broadcast."""
    b, names, run = GraphBuilder(a.name), [], []
    for side in ("1", "2"):
        shape = [a.number(f"{n}_{side}") for n in ("BATCH", "HEIGHT", "WIDTH", "CHANNEL")]
        run.append(a.array(f"input_tensor_{side}").reshape(shape))
        names.append(b.input(f"x{side}", DType.INT8, shape, quant()))
    op = Maximum() if a.name.startswith("max") else Minimum()
    return Vector(a.name, b.finish(b.add(op, names, quant())), [run], a.array("output"))


def addition(a: Arrays) -> Vector:
    """Operands of one scale, shifted left; the output's multiplier decides its scale."""
    prefix = "ADD_S16_SPILL_" if "s16" in a.name else "ADD_"

    def number(name: str) -> int:
        return a.number(f"{prefix}{name}", name)

    factor = real(number("OUTPUT_MULT"), number("OUTPUT_SHIFT"))
    b, run, names = GraphBuilder(a.name), [], []
    for side in ("1", "2"):
        assert (number(f"INPUT{side}_MULT"), number(f"INPUT{side}_SHIFT")) == (1 << 30, 0)
        run.append(a.array(f"input{side}"))
        zero_point = -number(f"INPUT{side}_OFFSET")
        dtype = DType.parse(str(run[-1].dtype))
        names.append(b.input(f"x{side}", dtype, run[-1].shape, quant(1.0, zero_point)))
    scale = 2.0 / (factor * 2 ** number("LEFT_SHIFT"))
    graph = b.finish(b.add(Add(), names, quant(scale, number("OUTPUT_OFFSET"))))
    return Vector(a.name, graph, [run], a.array("output_ref"), a.clamp())


def product(a: Arrays) -> Vector:
    """Elementwise, int16."""
    b, run = GraphBuilder(a.name), [a.array("input1"), a.array("input2")]
    scales = 1.0, a.real("OUTPUT_MULT", "OUTPUT_SHIFT")
    names = [b.input(f"x{k}", DType.INT16, run[k].shape, quant(scales[k])) for k in range(2)]
    return Vector(a.name, b.finish(b.add(Mul(), names, quant())), [run], a.array("output_ref"))


def padding(a: Arrays) -> Vector:
    """Before and behind each axis."""
    shape, before, behind = (
        tuple(a.number(f"{name}_{axis}") for axis in "NHWC")
        for name in ("INPUT", "PRE_PAD", "POST_PAD")
    )
    b, x = GraphBuilder(a.name), a.array("input_tensor").reshape(shape)
    name = b.input("x", DType.INT8, shape, quant())
    return _one(a, b, Pad(before, behind, a.number("PAD_VALUE")), [name], x, quant())


def softmax16(a: Arrays) -> Vector:
    """int16 rows; the multiplier is that of the input in steps of 10 / 65535."""
    shape = (a.number("NUM_ROWS"), a.number("ROW_SIZE"))
    factor = a.real("INPUT_MULT", "INPUT_LEFT_SHIFT")
    b, x = GraphBuilder(a.name), a.array("input").reshape(shape)
    name = b.input("x", DType.INT16, shape, quant(factor * (10.0 / 65535.0)))
    return _one(a, b, Softmax(), [name], x, quant(1 / 32768))


def svdf(a: Arrays) -> Vector:
    """A sequence of inputs, of which the last one's output is expected."""
    batches, depth = a.number("INPUT_BATCHES"), a.number("INPUT_SIZE")
    filters, memory = a.number("FEATURE_BATCHES"), a.number("TIME_BATCHES")
    b, state = GraphBuilder(a.name), a.array("state")
    steps = a.array("input_sequence").reshape(-1, batches, depth)
    inward, outward = (a.real(f"MULTIPLIER_{way}", f"SHIFT_{number}")
                       for way, number in (("IN", 1), ("OUT", 2)))  # fmt: skip
    kind = DType.parse(str(state.dtype))
    features, time = a.array("weights_feature"), a.array("weights_time")
    names = [
        b.input("x", DType.INT8, (batches, depth), quant(1.0, -a.offset("INPUT"))),
        b.constant("features", DType.INT8, features.reshape(filters, depth), quant(inward)),
        b.constant("time", kind, time.reshape(filters, memory), quant(outward)),
        b.constant("bias", DType.INT32, a.array("biases")),
        b.state("state", kind, state.reshape(batches, -1), quant()),
    ]
    output = quant(1.0, a.offset("OUTPUT"))
    y, following = b.add(Svdf(a.number("RANK")), names, (output, quant()))
    b.add(AssignState(), [names[4], following])
    return Vector(
        a.name, b.finish([y]), [[step] for step in steps], a.array("output_ref"), a.clamp()
    )


_GATES = ("input_gate", "forget_gate", "cell_gate", "output_gate")


def lstm(a: Arrays) -> Vector:
    """Scales that give the gates' multipliers; inputs are laid out batch by batch or by steps."""
    batches, steps = a.number("BATCH_SIZE"), a.number("TIME_STEPS")
    depth, units = a.number("INPUT_SIZE"), a.number("HIDDEN_SIZE")
    b, major = GraphBuilder(a.name), a.number("TIME_MAJOR", default=0) > 0
    shape = (steps, batches, depth) if major else (batches, steps, depth)
    x = a.array("input_tensor").reshape(shape)
    hidden_scale = 2.0**-30 / a.real("OUTPUT_MULTIPLIER", "OUTPUT_SHIFT")
    names = [b.input("x", DType.INT8, shape, quant(1.0, -a.number("INPUT_ZERO_POINT")))]
    for part, width, scale in (("input", depth, 1.0), ("hidden", units, hidden_scale)):
        for gate in _GATES:
            stem = f"{gate}_{part}".upper()
            factor = a.real(f"{stem}_MULTIPLIER", f"{stem}_SHIFT") * 2.0**-12 / scale
            values = a.array(f"{gate}_{part}_weights").reshape(units, width)
            names.append(b.constant(f"{gate}_{part}", DType.INT8, values, quant(factor)))
    for gate in _GATES:
        names.append(b.constant(f"{gate}_bias", DType.INT32, a.array(f"{gate}_bias")))
    hidden = quant(hidden_scale, a.number("OUTPUT_ZERO_POINT"))
    cell = quant(2.0 ** a.number("CELL_SCALE_POWER"))
    rest = np.full((batches, units), hidden.zero_point)
    states = [
        b.state("hidden", DType.INT8, rest, hidden),
        b.state("cell", DType.INT16, np.zeros((batches, units)), cell),
    ]
    made = b.add(Lstm(major), [*names, *states], (hidden, hidden, cell))
    for state, following in zip(states, made[1:], strict=True):
        b.add(AssignState(), [state, following])
    return Vector(a.name, b.finish(made[:1]), [[x]], a.array("output"))


TRANSPOSITIONS = {
    # The files name neither extents nor order; these are the only ones, up to axes that stay
    # neighbours, that bring the input into the order of the output.
    "transpose_matrix": ((5, 20), (1, 0)),
    "transpose_3dim": ((5, 4, 20), (0, 2, 1)),
    "transpose_chwn": ((5, 4, 12, 17), (3, 1, 2, 0)),
    "transpose_ncwh": ((5, 4, 3, 9), (0, 3, 2, 1)),
    "transpose_nwhc": ((19, 3, 4, 16), (1, 0, 2, 3)),
}


def transposition(a: Arrays) -> Vector:
    """Of extents and an order that the file does not name."""
    shape, order = TRANSPOSITIONS[a.name]
    b, x = GraphBuilder(a.name), a.array("input_tensor").reshape(shape)
    name = b.input("x", DType.INT8, shape, quant())
    return _one(a, b, Transpose(order), [name], x, quant())


def network(a: Arrays) -> Vector:
    """The large keyword spotter: eleven convolutions, mean, dense layer and softmax."""
    b, x = GraphBuilder(a.name), a.array("input").reshape(1, 49, 10, 1)
    name = b.input("x", DType.INT8, x.shape, quant(1.0, -a.number("CONV_2D_1_INPUT_OFFSET")))
    for place in range(1, 12):
        name = _network_layer(a, b, name, place)
    window = tuple(a.number(f"AVERAGE_POOL_2D_12_FILTER_{axis}") for axis in "YX")
    (name,) = b.add(AveragePool2D((window[0], window[1]), (1, 1), Padding()), [name],
                    b.tensor(name).quantization)  # fmt: skip
    (name,) = b.add(Reshape((1, b.tensor(name).shape[3])), [name], b.tensor(name).quantization)
    stem = "FULLY_CONNECTED_14"
    factor = a.real(f"{stem}_OUTPUT_MULTIPLIER", f"{stem}_OUTPUT_SHIFT")
    weights = a.array("layer_14_fully_connected_weights").reshape(12, -1)
    bias = b.constant("b14", DType.INT32, a.array("layer_14_fully_connected_bias"))
    # The softmax takes its scale from its input: what lies before it is scaled alike.
    scale = a.real("SOFTMAX_15_MULT", "SOFTMAX_15_SHIFT") / 2.0**26
    w = b.constant("w14", DType.INT8, weights, quant(factor * scale))
    (name,) = b.add(Dense(), [name, w, bias], quant(scale, a.number(f"{stem}_OUTPUT_OFFSET")))
    (name,) = b.add(Softmax(), [name], quant(1 / 256, -128))
    return Vector(a.name, b.finish([name]), [[x]], a.array("output_ref"))


def _network_layer(a: Arrays, b: GraphBuilder, x: str, place: int) -> str:
    kind = "depthwise_conv_2d" if place % 2 == 0 else "conv_2d"
    stem, upper = f"layer_{place}_{kind}", f"{kind.upper()}_{place}"
    before, (_, *sizes, depth) = b.tensor(x), b.tensor(x).shape
    window, stride, pads, outputs = (
        (a.number(f"{upper}_{name}_Y", f"{upper}_{name}_H"),
         a.number(f"{upper}_{name}_X", f"{upper}_{name}_W"))
        for name in ("FILTER", "STRIDE", "PAD", "OUTPUT")
    )  # fmt: skip
    count = a.array(f"{stem}_bias").size
    shape = (1, *window, count) if place % 2 == 0 else (count, *window, depth)
    mantissas, shifts = a.array(f"{stem}_output_mult"), a.array(f"{stem}_output_shift")
    assert before.quantization is not None
    scales = [real(int(m), int(s)) for m, s in zip(mantissas, shifts, strict=True)]
    names = [
        x,
        b.constant(f"w{place}", DType.INT8, a.array(f"{stem}_weights").reshape(shape),
                   _channels(scales, 3 if place % 2 == 0 else 0)),
        b.constant(f"b{place}", DType.INT32, a.array(f"{stem}_bias")),
    ]  # fmt: skip
    padding = _padded(pads, sizes, window, stride, outputs)
    op = (DepthwiseConv2D if place % 2 == 0 else Conv2D)(stride, padding)
    return b.add(op, names, quant(1.0, a.number(f"{upper}_OUTPUT_OFFSET")))[0]


_FAMILIES: Sequence[tuple[tuple[str, ...], Callable[[Arrays], Vector]]] = (
    (("transpose_conv", "reverse_transpose_conv"), transposed),
    (("transpose_",), transposition),
    (("fully_connected", "fc_"), dense),
    (("avgpooling", "maxpool"), pooling),
    (("batch_matmul",), matrix_product),
    (("maximum", "minimum"), extreme),
    (("add",), addition),
    (("mul_",), product),
    (("pad_",), padding),
    (("softmax_s16",), softmax16),
    (("svdf",), svdf),
    (("lstm",), lstm),
    (("ds_cnn",), network),
)


INEXPRESSIBLE = {
    "conv_2x3_dilation_int4": "arrays of two generations, whose bounds and offsets are lost",
    "conv_3x3_dilation_5x5_input_int4": "arrays of two generations, whose shapes are lost",
    "kernel1x1_stride_x_y_1_int4": "arrays of two generations, whose strides are lost",
    "lstm_2": "arrays and multipliers of two generations, which do not belong together",
    "lstm_one_time_step": "arrays and multipliers of two generations, as in lstm_2",
}
"""Vectors that cannot be stated, and why: folders held the files of two generations of a case."""


def read_vector(path: Path) -> Vector:
    """The vector of one file; what no family claims is a convolution."""
    arrays = Arrays(path)
    for prefixes, make in _FAMILIES:
        if path.stem.startswith(prefixes):
            return make(arrays)
    return convolution(arrays)
