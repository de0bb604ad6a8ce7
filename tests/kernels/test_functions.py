"""Operators of one operand, three ways: NumPy reference, TensorFlow Lite Micro, compiled C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from smidgen.graph.evaluate import Reference
from support.samples_of_values import values_of
from support.tflite_writer import OperatorSpec, TensorSpec, write_model
from support.threeway import Model, check, graph_of

FLOAT_TOLERANCE = 5e-7  # of the largest output: a few units in the last place
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "LEAKY_RELU": {"alpha": 0.17},
    "GELU": {"approximate": False},
    "SOFTMAX": {"beta": 0.8},
    "L2_NORMALIZATION": {},
}
# What the operators demand of their output.
INT8_OUTPUT = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0), "LOG_SOFTMAX": (1 / 16, 127)}
INT8_OUTPUT |= {"SOFTMAX": (1 / 256, -128), "L2_NORMALIZATION": (1 / 128, 0)}


def one_operand(name: str, x: TensorSpec, y: TensorSpec, values: np.ndarray, **kind: Any) -> Model:
    operator = OperatorSpec(name, [0], [1], OPTIONS.get(name))
    data = write_model([x, y], [operator], [0], [1])
    return Model(f"{name}_{x.dtype}_{y.dtype}", data, [[values.astype(x.dtype)]], **kind)


def every_byte(name: str, scale: float, zero_point: int, output: tuple[float, int]) -> Model:
    """All 256 values of int8."""
    x = TensorSpec((1, 256), "int8", scale, zero_point)
    return one_operand(name, x, TensorSpec((1, 256), "int8", *output), np.arange(-128, 128)[None])


def words(name: str, scale: float, output_scale: float, low: int = -32768) -> Model:
    """Values all over int16, the ends included."""
    values = np.append(np.random.default_rng(1).integers(low, 32767, 2046), [low, 32767])
    x = TensorSpec((2, 1024), "int16", scale)
    return one_operand(
        name, x, TensorSpec((2, 1024), "int16", output_scale), values.reshape(2, 1024)
    )


@pytest.mark.parametrize(
    "name",
    ["RELU", "RELU6", "LEAKY_RELU", "ELU", "HARD_SWISH", "LOGISTIC", "TANH", "ABS", "RSQRT"],
)
def test_int8_functions_of_every_byte(name: str) -> None:
    models = []
    for scale, middle in ((0.003, -128), (0.021, 3), (0.05, -20), (0.11, 100), (0.4, 0)):
        zero_point = -128 if name == "RSQRT" else middle  # Micro stops at negatives
        output = INT8_OUTPUT.get(name, (scale * 0.83, -zero_point // 2))
        output = (scale, zero_point) if name == "RELU6" else output
        models.append(every_byte(name, scale, zero_point, output))
    check(models)


@pytest.mark.parametrize("name", ["RELU", "RELU6", "LEAKY_RELU", "ABS"])
def test_int16_functions(name: str) -> None:
    scales = ((0.0004, 0.0004), (0.001, 0.001 if name == "RELU6" else 0.0007))
    check([words(name, *pair) for pair in scales])


def test_int16_reciprocal_root() -> None:
    check([words("RSQRT", 0.001, 0.0009, low=0), words("RSQRT", 0.03, 0.0002, low=0)])


@pytest.mark.parametrize(
    "name", ["EXP", "SQUARE", "NEG", "ELU", "GELU", "HARD_SWISH", "SQRT", "LOG"]
)
def test_int16_functions_that_are_interpolated(name: str) -> None:
    """Micro has none of them; they stay near the real function."""
    low = 400 if name in {"SQRT", "LOG"} else -32768
    models = [
        replace(words(name, *scales, low=low), micro=False)
        for scales in ((0.0001, 0.001), (0.0003, 0.003))
    ]
    check(models)
    for model in models:
        graph = graph_of(model)
        ((quanta,),) = model.runs
        (found,) = Reference(graph).run([quanta])
        x, y = (graph.tensors[port[0]].quant.scale for port in (graph.inputs, graph.outputs))
        truth = graph.nodes[0].op.real((quanta * x).astype(np.float32)) / y
        inside = np.abs(truth) < 32000
        assert np.abs(found - truth)[inside].max() < 12


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_int16_sigmoids(name: str) -> None:
    """With scales that are a power of two and such that are not."""
    scales = (2.0**-12, 2.0**-11, 2.0**-13, 0.0003, 0.00011, 0.002)
    check([words(name, scale, 2.0**-15) for scale in scales])


FLOAT_INPUTS = {
    "LOG": np.exp2(np.linspace(-40, 40, 500)),
    "SQRT": np.exp2(np.linspace(-40, 40, 500)),
    "RSQRT": np.exp2(np.linspace(-4, 40, 500)),
    "EXP": np.linspace(-80, 3, 500),
    "SIN": np.append(np.linspace(-20, 20, 300), np.exp2(np.linspace(5, 60, 200))),
    "COS": np.append(np.linspace(-20, 20, 300), np.exp2(np.linspace(5, 60, 200))),
    "ROUND": np.arange(-250, 250) / 4,
    "FLOOR": np.arange(-250, 250) / 4,
    "CEIL": np.arange(-250, 250) / 4,
}
FLOAT_FUNCTIONS = (
    "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "ABS", "NEG", "FLOOR", "CEIL", "ROUND", "SIN", "COS",
    "RELU", "RELU6", "LEAKY_RELU", "ELU", "HARD_SWISH", "LOGISTIC", "TANH",
)  # fmt: skip


def real(name: str) -> Model:
    values = FLOAT_INPUTS.get(name, np.linspace(-12, 12, 500))
    tensor = TensorSpec((500,), "float32")
    return one_operand(name, tensor, tensor, values, tolerance=FLOAT_TOLERANCE)


def test_float_functions_agree_with_micro() -> None:
    check([real(name) for name in FLOAT_FUNCTIONS])


def test_compiled_float_functions_give_the_bits_of_the_reference() -> None:
    names = (*FLOAT_FUNCTIONS, "GELU")
    check([replace(real(name), tolerance=0.0, micro=False) for name in names])


def test_what_micro_lacks_follows_the_table_rule_of_tensorflow_lite() -> None:
    models = [
        replace(every_byte(name, 0.04, 5, (0.03, -50)), micro=False)
        for name in ("GELU", "RELU_N1_TO_1", "EXP", "SIN")
    ]
    check(models)


def rows(name: str, dtype: str, scale: float, output: TensorSpec, depth: int = 10) -> Model:
    """Random rows, some of them with all elements equal, or nearly so."""
    rng = np.random.default_rng(depth)
    x = TensorSpec((6, depth), dtype, scale, -7 if dtype == "int8" else 0)
    if dtype == "float32":
        x = TensorSpec((6, depth), dtype)
        values = rng.normal(0, 3, (6, depth))
    else:
        info = np.iinfo(dtype)
        values = rng.integers(info.min, info.max, (6, depth), endpoint=True)
        values[4] = values[4] // 32
    values[5] = values[5, 0]
    y = TensorSpec((6, depth), output.dtype, output.scale, output.zero_point)
    tolerance = FLOAT_TOLERANCE if dtype == "float32" else 0.0
    model = one_operand(name, x, y, values, tolerance=tolerance)
    return replace(model, name=f"{model.name}_{depth}_{scale}")


INT8_SCALES = (0.004, 0.03, 0.09, 0.25, 1.2)


def test_softmax() -> None:
    byte, word = TensorSpec((), "int8", 1 / 256, -128), TensorSpec((), "int16", 1 / 32768)
    wide = TensorSpec((), "int16", 1 / 65536, -32768)
    models = [rows("SOFTMAX", "int8", scale, byte) for scale in INT8_SCALES]
    models += [rows("SOFTMAX", "int8", scale, wide, 33) for scale in INT8_SCALES]
    models += [rows("SOFTMAX", "int16", scale, word, 50) for scale in (0.00005, 0.0003, 0.002)]
    models += [rows("SOFTMAX", "int16", 0.001, word, depth) for depth in (1, 2, 300)]
    check(models)


def test_log_softmax() -> None:
    output = TensorSpec((), "int8", 1 / 16, 127)
    models = [rows("LOG_SOFTMAX", "int8", scale, output) for scale in INT8_SCALES]
    check([*models, *(rows("LOG_SOFTMAX", "int8", 0.1, output, depth) for depth in (1, 2, 257))])


def test_l2_normalization() -> None:
    output = TensorSpec((), "int8", 1 / 128, 0)
    check([rows("L2_NORMALIZATION", "int8", 0.1, output, depth) for depth in (1, 2, 10, 300)])


def test_rows_of_floats() -> None:
    real_output = TensorSpec((), "float32")
    models = [
        rows(name, "float32", 0.0, real_output, depth)
        for name in ("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION")
        for depth in (1, 7, 100)
    ]
    check(models)
    check([replace(model, tolerance=0.0, micro=False) for model in models])


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
def test_prelu(dtype: str) -> None:
    models = []
    for place, alpha_shape in enumerate(((5,), (1, 1, 5), (3, 4, 1), (1,))):
        rng = np.random.default_rng(place)
        scales = (0.05, 0.01, 0.04) if dtype == "int8" else (0.0005, 0.01, 0.0004)
        zero = 3 if dtype == "int8" else 0
        slope = "float32" if dtype == "float32" else "int8"
        specs = [
            TensorSpec((3, 4, 5), dtype, scales[0], zero),
            TensorSpec(alpha_shape, slope, scales[1], -9),
            TensorSpec((3, 4, 5), dtype, scales[2], -zero),
        ]
        runs = [[values_of(rng, "PRELU", spec, 0) for spec in specs[:2]]]
        data = write_model(specs, [OperatorSpec("PRELU", [0, 1], [2])], [0, 1], [2])
        models.append(Model(f"PRELU_{dtype}_{place}", data, runs))
    check(models)
