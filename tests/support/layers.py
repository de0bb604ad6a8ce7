"""Small random .tflite layers in every combination of types that TensorFlow Lite Micro runs.

A `Kind` names the types: ``s8`` int8, ``s16`` int16 activations over int8 weights with a 64-bit
bias (``s16_b32`` with a 32-bit one), ``s4`` int8 activations over int4 weights, ``f32`` float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flatbuffers import flexbuffers

from support.tflite_writer import OperatorSpec, TensorSpec, write_model


@dataclass(frozen=True)
class Kind:
    """Types of activations, weights and bias."""

    name: str
    activations: str
    weights: str
    bias: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("s8", "int8", "int8", "int32"),
        Kind("s16", "int16", "int8", "int64"),
        Kind("s16_b32", "int16", "int8", "int32"),
        Kind("s4", "int8", "int4", "int32"),
        Kind("f32", "float32", "float32", "float32"),
    )
}

_LIMITS = {"int8": 127, "int4": 7}


def activations(rng: np.random.Generator, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """Random input values over the whole range of the type."""
    if dtype == "float32":
        return rng.normal(0, 1, shape).astype(np.float32)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, endpoint=True).astype(dtype)


def activation_spec(
    rng: np.random.Generator, dtype: str, shape: Sequence[int], scale: float
) -> TensorSpec:
    """An activation; only 8-bit ones have a zero point other than 0."""
    if dtype == "float32":
        return TensorSpec(shape, dtype)
    zero_point = int(rng.integers(-100, 100)) if dtype == "int8" else 0
    return TensorSpec(shape, dtype, scale, zero_point)


def weights_spec(
    rng: np.random.Generator,
    kind: Kind,
    shape: Sequence[int],
    axis: int | None,
    scales: tuple[float, float] = (0.002, 0.02),
) -> TensorSpec:
    """Constant weights, with one scale for each slice along `axis`, or a single one."""
    if kind.weights == "float32":
        return TensorSpec(shape, "float32", data=rng.normal(0, 0.3, shape).astype(np.float32))
    limit = _LIMITS[kind.weights]
    values = rng.integers(-limit, limit, shape, endpoint=True).astype(np.int8)
    count = 1 if axis is None else shape[axis]
    each = [float(scale) for scale in rng.uniform(*scales, count).astype(np.float32)]
    return TensorSpec(shape, kind.weights, each, 0, axis or 0, values)


def bias_of(
    rng: np.random.Generator, kind: Kind, x: TensorSpec, w: TensorSpec, count: int
) -> TensorSpec:
    """A constant bias of `count` values, with the scale that the specification demands."""
    if kind.bias == "float32":
        return TensorSpec([count], "float32", data=rng.normal(0, 1, count).astype(np.float32))
    assert isinstance(x.scale, float)
    scales = np.float32(x.scale) * np.atleast_1d(np.asarray(w.scale, np.float32))
    reach = 1 << (20 if kind.activations == "int16" else 12)
    values = rng.integers(-reach, reach, count).astype(kind.bias)
    return TensorSpec([count], kind.bias, [float(s) for s in scales], 0, 0, values)


def same_size(size: int, window: int, stride: int, dilation: int, padding: int) -> int:
    """The output extent; `padding` is the schema's 0 for SAME, 1 for VALID."""
    if padding == 0:
        return -(-size // stride)
    return (size - (window - 1) * dilation - 1) // stride + 1


@dataclass(frozen=True)
class ConvSpec:
    """The geometry of a convolution or pooling."""

    shape: tuple[int, int, int, int] = (1, 6, 5, 3)
    window: tuple[int, int] = (3, 2)
    outputs: int = 4
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: int = 0
    activation: int = 0
    groups: int = 1
    per_channel: bool = True
    has_bias: bool = True

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        """NHWC of the output."""
        rows, cols = (
            same_size(
                self.shape[i + 1], self.window[i], self.stride[i], self.dilation[i], self.padding
            )
            for i in range(2)
        )
        return (self.shape[0], rows, cols, self.outputs)

    @property
    def options(self) -> dict[str, int]:
        """The fields that convolutions and poolings share."""
        return {
            "padding": self.padding,
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "fused_activation_function": self.activation,
        }


def scale_of(kind: Kind) -> float:
    """A scale for inputs that makes accumulators worth requantising."""
    return 0.0007 if kind.activations == "int16" else 0.04


def conv_model(rng: np.random.Generator, kind: Kind, spec: ConvSpec, depthwise: bool) -> bytes:
    """A CONV_2D, or a DEPTHWISE_CONV_2D whose multiplier is outputs over channels."""
    channels = spec.shape[3]
    x = activation_spec(rng, kind.activations, spec.shape, scale_of(kind))
    shape = (
        [1, *spec.window, spec.outputs]
        if depthwise
        else [spec.outputs, *spec.window, channels // spec.groups]
    )
    axis = 3 if depthwise else 0
    w = weights_spec(rng, kind, shape, axis if spec.per_channel else None)
    taps = spec.window[0] * spec.window[1] * (1 if depthwise else channels // spec.groups)
    y = activation_spec(rng, kind.activations, spec.out_shape, output_scale(kind, taps))
    tensors, inputs = [x, w, y], [0, 1]
    if spec.has_bias:
        tensors.append(bias_of(rng, kind, x, w, spec.outputs))
        inputs.append(3)
    options = {
        **spec.options,
        "dilation_h_factor": spec.dilation[0],
        "dilation_w_factor": spec.dilation[1],
    }
    if depthwise:
        options["depth_multiplier"] = spec.outputs // channels
    name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return write_model(tensors, [OperatorSpec(name, inputs, [2], options)], [0], [2])


def output_scale(kind: Kind, taps: int) -> float:
    """So that outputs fill about the range, and some saturate."""
    if kind.activations == "float32":
        return 0.0
    weight = 0.01 * _LIMITS[kind.weights]
    return scale_of(kind) * weight * max(taps, 1) ** 0.5 * 0.6


def dense_model(
    rng: np.random.Generator,
    kind: Kind,
    shape: Sequence[int],
    outputs: int,
    *,
    activation: int = 0,
    per_channel: bool = False,
    has_bias: bool = True,
    keep_dims: bool = False,
    constant_weights: bool = True,
) -> bytes:
    """A FULLY_CONNECTED; without constant weights these are the second input of the model."""
    depth = shape[-1]
    x = activation_spec(rng, kind.activations, shape, scale_of(kind))
    w = weights_spec(rng, kind, [outputs, depth], 0 if per_channel else None)
    if not constant_weights:
        w = TensorSpec(w.shape, w.dtype, w.scale, w.zero_point)
    rows = [*shape[:-1], outputs] if keep_dims else [int(np.prod(shape)) // depth, outputs]
    y = activation_spec(rng, kind.activations, rows, output_scale(kind, depth))
    tensors, inputs = [x, w, y], [0, 1, -1]
    if has_bias:
        tensors.append(bias_of(rng, kind, x, w, outputs))
        inputs[2] = 3
    options = {"fused_activation_function": activation, "keep_num_dims": keep_dims}
    given = [0] if constant_weights else [0, 1]
    return write_model(tensors, [OperatorSpec("FULLY_CONNECTED", inputs, [2], options)], given, [2])


def pool_model(rng: np.random.Generator, dtype: str, spec: ConvSpec, name: str) -> bytes:
    """An AVERAGE_POOL_2D or MAX_POOL_2D; `spec.outputs` must be the channels."""
    x = activation_spec(rng, dtype, spec.shape, 0.04)
    y = TensorSpec(spec.out_shape, dtype, x.scale, x.zero_point)
    options = {**spec.options, "filter_height": spec.window[0], "filter_width": spec.window[1]}
    return write_model([x, y], [OperatorSpec(name, [0], [1], options)], [0], [1])


def transpose_conv_model(
    rng: np.random.Generator, kind: Kind, spec: ConvSpec, bias: str | None = None
) -> bytes:
    """A TRANSPOSE_CONV whose output has the extent that Keras gives it; `bias` names its type."""
    batch, rows, cols, channels = spec.shape
    x = activation_spec(rng, kind.activations, spec.shape, scale_of(kind))
    w_shape = [spec.outputs, *spec.window, channels]
    w = weights_spec(rng, kind, w_shape, 0 if spec.per_channel else None)
    sizes = [
        extent * step + (max(window - step, 0) if spec.padding else 0)
        for extent, step, window in zip((rows, cols), spec.stride, spec.window, strict=True)
    ]
    taps = spec.window[0] * spec.window[1] * channels // (spec.stride[0] * spec.stride[1])
    shape = (batch, *sizes, spec.outputs)
    y = activation_spec(rng, kind.activations, shape, output_scale(kind, taps))
    size = TensorSpec([4], "int32", data=np.array(shape, np.int32))
    tensors, inputs = [size, w, x, y], [0, 1, 2]
    if spec.has_bias:
        tensors.append(bias_of(rng, kind, x, w, spec.outputs))
        if bias:
            values = rng.integers(-30000, 30000, spec.outputs).astype(bias)
            tensors[4] = TensorSpec([spec.outputs], bias, tensors[4].scale, 0, 0, values)
        inputs.append(4)
    operator = OperatorSpec("TRANSPOSE_CONV", inputs, [3], spec.options)
    return write_model(tensors, [operator], [2], [3])


def matmul_model(
    rng: np.random.Generator,
    dtype: str,
    shapes: tuple[Sequence[int], Sequence[int]],
    transposed: tuple[bool, bool] = (False, False),
) -> bytes:
    """A BATCH_MATMUL of two inputs; `shapes` are those before a transposition in the file."""
    a_shape, b_shape = shapes
    batch = np.broadcast_shapes(tuple(a_shape[:-2]), tuple(b_shape[:-2]))
    stored = [
        [*shape[:-2], shape[-1], shape[-2]] if swap else list(shape)
        for shape, swap in zip(shapes, transposed, strict=True)
    ]
    kind = KINDS["s16"] if dtype == "int16" else KINDS["s8"]
    a, b = (activation_spec(rng, dtype, shape, scale_of(kind)) for shape in stored)
    reach = 32767 if dtype == "int16" else 127
    scale = scale_of(kind) ** 2 * reach * a_shape[-1] ** 0.5 * 0.5
    y = activation_spec(rng, dtype, [*batch, a_shape[-2], b_shape[-1]], scale)
    options = {"adj_x": transposed[0], "adj_y": transposed[1]}
    return write_model([a, b, y], [OperatorSpec("BATCH_MATMUL", [0, 1], [2], options)], [0, 1], [2])


def svdf_model(
    rng: np.random.Generator,
    dtype: str,
    *,
    batch: int = 1,
    inputs: int = 5,
    units: int = 3,
    rank: int = 2,
    memory: int = 4,
    state: str = "int16",
    activation: int = 0,
) -> bytes:
    """An SVDF; `state` is the type of state and time weights of an int8 one."""
    filters = units * rank
    if dtype == "float32":
        kind = KINDS["f32"]
        x, y = TensorSpec([batch, inputs], dtype), TensorSpec([batch, units], dtype)
        features = weights_spec(rng, kind, [filters, inputs], None)
        time = weights_spec(rng, kind, [filters, memory], None)
        bias = TensorSpec([units], dtype, data=rng.normal(0, 1, units))
        kept = TensorSpec([batch, filters * memory], dtype, is_variable=True)
    else:
        kind = KINDS["s8"]
        x = activation_spec(rng, "int8", [batch, inputs], 0.04)
        features = weights_spec(rng, kind, [filters, inputs], None)
        limit = 127 if state == "int8" else 20000
        values = rng.integers(-limit, limit, [filters, memory]).astype(state)
        time = TensorSpec([filters, memory], state, 1.0 / limit, 0, 0, values)
        state_scale = 0.03 if state == "int8" else 0.0002
        zero_point = int(rng.integers(-20, 20)) if state == "int8" else 0
        kept = TensorSpec(
            [batch, filters * memory], state, state_scale, zero_point, is_variable=True
        )
        scale = float(np.float32(state_scale) * np.float32(1.0 / limit))
        bias_values = (rng.normal(0, 1, units) / scale).astype(np.int32)
        bias = TensorSpec([units], "int32", scale, data=bias_values)
        y = activation_spec(rng, "int8", [batch, units], 0.05)
    options = {"rank": rank, "fused_activation_function": activation}
    operator = OperatorSpec("SVDF", [0, 1, 2, 3, 4], [5], options)
    return write_model([x, features, time, bias, kept, y], [operator], [0], [5])


def lstm_model(
    rng: np.random.Generator,
    dtype: str,
    *,
    batch: int = 1,
    steps: int = 3,
    inputs: int = 4,
    units: int = 5,
    time_major: bool = False,
    cell_clip: float = 0.0,
    cell_power: int = -11,
) -> bytes:
    """A UNIDIRECTIONAL_SEQUENCE_LSTM without extras."""
    kind = {"float32": KINDS["f32"], "int8": KINDS["s8"], "int16": KINDS["s16"]}[dtype]
    leading = [steps, batch] if time_major else [batch, steps]
    x = activation_spec(rng, dtype, [*leading, inputs], scale_of(kind))
    weights = [
        weights_spec(rng, kind, [units, depth], None, (0.005, 0.02))
        for depth in [inputs] * 4 + [units] * 4
    ]
    biases = [bias_of(rng, kind, x, weights[gate], units) for gate in range(4)]
    if dtype == "float32":
        hidden = TensorSpec([batch, units], dtype, is_variable=True)
        cell = hidden
    else:
        scale, zero_point = (1 / 32768, 0) if dtype == "int16" else (1 / 127, 3)
        hidden = TensorSpec([batch, units], dtype, scale, zero_point, is_variable=True)
        cell = TensorSpec([batch, units], "int16", 2.0**cell_power, 0, is_variable=True)
    y = TensorSpec([*leading, units], dtype, hidden.scale, hidden.zero_point)
    tensors = [x, *weights, *biases, hidden, cell, y]
    places = [*range(9), -1, -1, -1, 9, 10, 11, 12, -1, -1, 13, 14, -1, -1, -1, -1]
    options = {
        "fused_activation_function": 4,
        "time_major": time_major,
        "cell_clip": cell_clip,
    }
    operator = OperatorSpec("UNIDIRECTIONAL_SEQUENCE_LSTM", places, [15], options)
    return write_model(tensors, [operator], [0], [15])


def custom_model(
    name: str,
    options: dict[str, object],
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
) -> bytes:
    """A custom operator; inputs with data are constants, the others inputs of the model."""
    count = len(inputs)
    given = [index for index, tensor in enumerate(inputs) if tensor.data is None]
    made = list(range(count, count + len(outputs)))
    packed = bytes(flexbuffers.Dumps(options))
    operator = OperatorSpec(name, list(range(count)), made, custom_options=packed)
    return write_model([*inputs, *outputs], [operator], given, made)


def random_geometry(rng: np.random.Generator, **fixed: object) -> ConvSpec:
    """Any window, stride, dilation and padding that fits a small image; `fixed` overrules."""
    window = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    dilated = bool(rng.integers(3) == 0)
    drawn = {
        "shape": (
            int(rng.integers(1, 3)),
            int(rng.integers(5, 9)),
            int(rng.integers(5, 9)),
            int(rng.choice([1, 2, 4, 6])),
        ),
        "window": window,
        "stride": (1, 1) if dilated else (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        "dilation": (int(rng.integers(1, 3)), int(rng.integers(1, 3))) if dilated else (1, 1),
        "padding": int(rng.integers(2)),
        "activation": int(rng.choice([0, 0, 1, 3])),
        "per_channel": bool(rng.integers(2)),
        "has_bias": bool(rng.integers(4)),
    }
    spec = {**drawn, **fixed}
    spec.setdefault("outputs", int(spec["shape"][3]) * int(rng.integers(1, 3)))
    return ConvSpec(**spec)


def weight_only_model(rng: np.random.Generator, name: str, bits: str) -> bytes:
    """A float layer over quantised weights, which is what a hybrid model is made of."""
    limit = _LIMITS[bits]
    if name == "FULLY_CONNECTED":
        values = rng.integers(-limit, limit, (5, 9), endpoint=True).astype(np.int8)
        weights = TensorSpec([5, 9], bits, 0.02, 0, 0, values)
        x, y = TensorSpec([2, 9], "float32"), TensorSpec([2, 5], "float32")
        return write_model([x, weights, y], [OperatorSpec(name, [0, 1], [2], {})], [0], [2])
    depthwise = name == "DEPTHWISE_CONV_2D"
    shape, axis = ([1, 3, 2, 3], 3) if depthwise else ([3, 3, 2, 3], 0)
    values = rng.integers(-limit, limit, shape, endpoint=True).astype(np.int8)
    weights = TensorSpec(shape, bits, [0.01, 0.02, 0.03], 0, axis, values)
    image = TensorSpec([1, 6, 5, 3], "float32")
    bias = TensorSpec([3], "float32", data=rng.normal(0, 1, 3))
    options = {"padding": 0, "stride_h": 1, "stride_w": 1}
    operator = OperatorSpec(name, [0, 1, 2], [3], options)
    return write_model([image, weights, bias, image], [operator], [0], [3])


def uint8_conv_model(rng: np.random.Generator) -> tuple[bytes, Sequence[TensorSpec]]:
    """A CONV_2D of the old uint8 kind, whose weights have a zero point; and its tensors."""
    weights = rng.integers(0, 256, (4, 3, 2, 3)).astype(np.uint8)
    tensors = (
        TensorSpec([1, 6, 5, 3], "uint8", 0.04, 120, name="x"),
        TensorSpec([4, 3, 2, 3], "uint8", 0.01, 140, 0, weights),
        TensorSpec([4], "int32", 0.0004, data=rng.integers(-3000, 3000, 4)),
        TensorSpec([1, 6, 5, 4], "uint8", 0.05, 100, name="y"),
    )
    options = {"padding": 0, "stride_h": 1, "stride_w": 1, "fused_activation_function": 1}
    operator = OperatorSpec("CONV_2D", [0, 1, 2], [3], options)
    return write_model(tensors, [operator], [0], [3]), tensors
