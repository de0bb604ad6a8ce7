"""SVDF and LSTM layers, which carry state from run to run."""

from __future__ import annotations

import numpy as np

from properties.net import Net, Value, like, output_scale
from properties.table import layer
from support.tflite_writer import TensorSpec

_MOST_UNITS = 5


@layer("SVDF", dtypes=("int8", "float32"), ranks=(2,))
def svdf(net: Net, x: Value, name: str) -> list[Value] | None:
    """Time weights and state of int8 layers are int16 or int8."""
    batch, depth = x.shape
    if depth > 64:
        return None
    rank, units, memory = net.whole(1, 3), net.whole(1, _MOST_UNITS), net.whole(1, 5)
    filters = rank * units
    options = {"rank": rank, "fused_activation_function": net.pick([0, 1])}
    if x.dtype == "float32":
        features = net.constant(net.rng.normal(0, 1, (filters, depth)) / depth, "float32")
        time = net.constant(net.rng.normal(0, 1, (filters, memory)), "float32")
        bias = net.constant(net.rng.normal(0, 1, units), "float32")
        state = net.tensor(TensorSpec([batch, filters * memory], "float32", is_variable=True))
        reach = 12 * memory * rank * max(abs(x.low), abs(x.high)) + 4
        y = like(x, (batch, units), low=-reach, high=reach, exact=False)
        return net.add(name, [x, features, time, bias, state], [y], options)
    assert x.scale
    kind, limit = net.pick([("int16", 20000), ("int8", 127)])
    features = net.constant(net.rng.integers(-127, 128, (filters, depth)), "int8", scale=0.01)
    time_scale = float(np.float32(1 / limit))
    time = net.constant(net.rng.integers(-limit, limit + 1, (filters, memory)), kind,
                        scale=time_scale)  # fmt: skip
    natural = x.scale * 0.01 * 70 * 60 * depth**0.5 / (limit * 0.6)
    state_scale = output_scale(net, natural, 2.0)
    # A zero point other than 0 would take Micro's 16-bit state beyond its range.
    shape = [batch, filters * memory]
    state = net.tensor(TensorSpec(shape, kind, state_scale, 0, is_variable=True))
    bias_scale = float(np.float32(state_scale) * np.float32(time_scale))
    bias = net.constant(net.rng.integers(-limit * 20, limit * 20, units), "int32",
                        scale=bias_scale)  # fmt: skip
    y = like(x, (batch, units), scale=output_scale(net, bias_scale * limit * limit / 128, 2.0),
             zero_point=net.whole(-60, 60))  # fmt: skip
    return net.add(name, [x, features, time, bias, state], [y], options)


@layer("UNIDIRECTIONAL_SEQUENCE_LSTM", dtypes=("int8", "int16", "float32"), ranks=(3,))
def lstm(net: Net, x: Value, name: str) -> list[Value] | None:
    """Gates: input, forget, cell, output; peepholes, projection and normalisation absent."""
    steps, depth, units = x.shape[1], x.shape[2], net.whole(1, _MOST_UNITS)
    if steps > 8 or depth > 16 or (x.scale or 0.0) * depth > 4:
        return None
    major = net.chance(0.3)
    batch = x.shape[1] if major else x.shape[0]
    weights = [_matrix(net, x, units, n) for n in [depth] * 4 + [units] * 4]
    biases = [_gate_bias(net, x, units, weights[gate][1]) for gate in range(4)]
    hidden_spec, cell_spec, y = _states(net, x, batch, units)
    hidden, cell = net.tensor(hidden_spec), net.tensor(cell_spec)
    places = [w for w, _ in weights]
    inputs = [x, *places, -1, -1, -1, *biases, -1, -1, hidden, cell, -1, -1, -1, -1]
    options = {"fused_activation_function": 4, "time_major": major,
               "cell_clip": net.pick([0.0, 0.0, 10.0])}  # fmt: skip
    return net.add(name, inputs, [y], options)


def _matrix(net: Net, x: Value, rows: int, cols: int) -> tuple[int, float]:
    if x.dtype == "float32":
        return net.constant(net.rng.normal(0, 0.4, (rows, cols)), "float32"), 0.0
    scale = float(np.float32(net.rng.uniform(0.003, 0.01)))
    return net.constant(net.rng.integers(-127, 128, (rows, cols)), "int8", scale=scale), scale


def _gate_bias(net: Net, x: Value, units: int, scale: float) -> int:
    if x.dtype == "float32":
        return net.constant(net.rng.normal(0, 1, units), "float32")
    assert x.scale
    dtype = "int64" if x.dtype == "int16" else "int32"
    product = float(np.float32(x.scale) * np.float32(scale))
    return net.constant(net.rng.integers(-2000, 2000, units), dtype, scale=product)


def _states(net: Net, x: Value, batch: int, units: int) -> tuple[TensorSpec, TensorSpec, Value]:
    shape = (*x.shape[:2], units)
    if x.dtype == "float32":
        spec = TensorSpec([batch, units], "float32", is_variable=True)
        return spec, spec, like(x, shape, low=-1.0, high=1.0, exact=False)
    scale, zero = (1 / 32768, 0) if x.dtype == "int16" else (1 / 128, net.pick([0, 3, -5]))
    hidden = TensorSpec([batch, units], x.dtype, scale, zero, is_variable=True)
    cell = TensorSpec([batch, units], "int16", 2.0 ** -net.whole(9, 12), 0, is_variable=True)
    return hidden, cell, like(x, shape, scale=scale, zero_point=zero)
