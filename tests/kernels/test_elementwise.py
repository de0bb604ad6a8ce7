"""Operators of two operands, three ways: NumPy reference, TensorFlow Lite Micro, compiled C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.graph.evaluate import Reference
from smidgen.ops.support.broadcast import walk_of
from support.samples_of_values import values_of
from support.tflite_writer import OperatorSpec, TensorSpec, write_model
from support.threeway import Model, check, graph_of

SHAPES: Sequence[tuple[tuple[int, ...], tuple[int, ...]]] = (
    ((1, 3, 4, 5), (1, 3, 4, 5)),
    ((1, 3, 4, 5), (5,)),
    ((1, 3, 4, 5), (1, 3, 1, 5)),
    ((1, 3, 1, 1), (1, 3, 4, 5)),
    ((2, 1, 4, 1), (1, 3, 1, 5)),
    ((7,), (1,)),
)
RELATIONS = ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
FUSED = {"ADD", "SUB", "MUL", "DIV"}


def two_operands(
    name: str,
    dtype: str,
    place: int,
    *,
    output: str = "",
    quantized: bool = True,
    constant: bool = False,
) -> Model:
    """A model of one operator; `place` varies shapes, scales and the fused activation."""
    rng = np.random.default_rng(place)
    a_shape, b_shape = SHAPES[place % len(SHAPES)]
    shape = np.broadcast_shapes(a_shape, b_shape)
    specs = [
        _spec(rng, dtype, a_shape, quantized),
        _spec(rng, dtype, b_shape, quantized),
        _spec(rng, output or dtype, shape, quantized),
    ]
    if name in {"MINIMUM", "MAXIMUM"} and quantized:
        specs = [TensorSpec(s.shape, s.dtype, specs[0].scale, specs[0].zero_point) for s in specs]
    runs = [[values_of(rng, name, spec, index) for index, spec in enumerate(specs[:2])]]
    inputs = [0, 1]
    if constant:
        specs[1] = TensorSpec(
            b_shape, dtype, specs[1].scale, specs[1].zero_point, data=runs[0].pop()
        )
        inputs = [0]
    options = {"fused_activation_function": place % 4} if name in FUSED else None
    data = write_model(specs, [OperatorSpec(name, [0, 1], [2], options)], inputs, [2])
    return Model(f"{name}_{dtype}_{place}", data, runs)


def _spec(
    rng: np.random.Generator, dtype: str, shape: tuple[int, ...], quantized: bool
) -> TensorSpec:
    if dtype not in {"int8", "int16"} or not quantized:
        return TensorSpec(shape, dtype)
    scale = float(np.float32(rng.uniform(0.01, 0.1) * (1 if dtype == "int8" else 0.01)))
    return TensorSpec(shape, dtype, scale, int(rng.integers(-40, 40)) if dtype == "int8" else 0)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float32"])
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL", "DIV", "SQUARED_DIFFERENCE"])
def test_arithmetic(name: str, dtype: str) -> None:
    if (name, dtype) == ("DIV", "int16"):
        pytest.skip("TensorFlow Lite Micro has no int16 division")
    quantized = dtype in {"int8", "int16"}
    check([two_operands(name, dtype, place, quantized=quantized) for place in range(8)])


@pytest.mark.parametrize("name", ["ADD", "MUL", "SQUARED_DIFFERENCE"])
def test_a_constant_operand(name: str) -> None:
    check([two_operands(name, "int8", place, constant=True) for place in range(5)])


@pytest.mark.parametrize("name", ["MINIMUM", "MAXIMUM"])
def test_extremes(name: str) -> None:
    dtypes = ("int8", "int16", "int32", "int64", "float32")
    check([two_operands(name, dtype, place) for dtype in dtypes for place in range(5)])


def test_floor_division_and_remainder() -> None:
    names = ("FLOOR_DIV", "FLOOR_MOD")
    check([two_operands(name, "float32", place) for name in names for place in range(6)])


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "int64", "float32"])
def test_comparisons(dtype: str) -> None:
    """Micro compares bool for equality only."""
    names = RELATIONS[:2] if dtype == "bool" else RELATIONS
    check([two_operands(name, dtype, place, output="bool") for name in names for place in range(4)])


def test_int16_comparisons_hold_for_the_real_values() -> None:
    """Micro takes int16 but leaves its scales uninitialised: real arithmetic is the judge."""
    models = [two_operands(name, "int16", 3, output="bool") for name in RELATIONS]
    check([replace(model, micro=False) for model in models])
    for model, holds in zip(
        models, (np.equal, np.not_equal, np.greater, np.greater_equal), strict=False
    ):
        graph = graph_of(model)
        real = [
            values * graph.tensors[name].quant.scale
            for name, values in zip(graph.inputs, model.runs[0], strict=True)
        ]
        near = np.abs(real[0] - real[1]) < 0.01
        found = Reference(graph).run(model.runs[0])[0]
        assert np.array_equal(found[~near], holds(*real)[~near])


def test_logic() -> None:
    names = ("LOGICAL_AND", "LOGICAL_OR")
    models = [two_operands(name, "bool", place) for name in names for place in range(6)]
    tensor = TensorSpec((3, 5), "bool")
    data = write_model([tensor] * 2, [OperatorSpec("LOGICAL_NOT", [0], [1])], [0], [1])
    runs = [[np.random.default_rng(0).integers(0, 2, (3, 5)).astype(bool)]]
    check([*models, Model("LOGICAL_NOT", data, runs)])


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_sum_of_many(dtype: str) -> None:
    check([sum_of_many(dtype, count) for count in (2, 3, 8)])


def sum_of_many(dtype: str, count: int) -> Model:
    rng = np.random.default_rng(count)
    tensor, output = _spec(rng, dtype, (2, 3, 4), True), _spec(rng, dtype, (2, 3, 4), True)
    inputs = list(range(count))
    operator = OperatorSpec("ADD_N", inputs, [count])
    data = write_model([tensor] * count + [output], [operator], inputs, [count])
    runs = [[values_of(rng, "ADD_N", tensor, index) for index in inputs]]
    return Model(f"ADD_N_{dtype}_{count}", data, runs)


@st.composite
def broadcast_shapes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    output = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    a, b = (
        tuple(extent if draw(st.booleans()) else 1 for extent in output)[draw(st.integers(0, 1)) :]
        for _ in range(2)
    )
    return a, b, tuple(np.broadcast_shapes(a, b))


@settings(max_examples=200, deadline=None)
@given(broadcast_shapes())
def test_the_walk_reads_what_broadcasting_reads(shapes: tuple[tuple[int, ...], ...]) -> None:
    a, b, output = shapes
    walk = walk_of(a, b, output)
    for operand, shape in enumerate((a, b)):
        numbered = np.arange(np.prod(shape, dtype=int)).reshape(shape)
        expected = np.broadcast_to(numbered, output).reshape(-1)
        found = [
            int(np.dot(index, walk.strides[operand])) + step * walk.steps[operand]
            for index in np.ndindex(*walk.extents)
            for step in range(walk.row)
        ]
        assert found == expected.tolist()
