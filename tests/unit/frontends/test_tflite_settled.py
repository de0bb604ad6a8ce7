"""Operators that Micro lacks and exporters use around shapes, against NumPy's; L2 pooling."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.core.errors import SmidgenError, UnsupportedOp
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.evaluate import Reference
from support.tflite_writer import OperatorSpec, TensorSpec, write_model
from support.threeway import Model, check

_RNG = np.random.default_rng(11)


def _whole(values, dtype: str = "int32") -> TensorSpec:
    data = np.array(values, dtype)
    return TensorSpec(data.shape, dtype, data=data)


def _outputs(tensors, operators, outputs, *inputs: np.ndarray) -> list[np.ndarray]:
    data = write_model(tensors, operators, list(range(len(inputs))), outputs)
    return Reference(convert(parse_model(data, "file"), "file")).run(inputs)


def _one(name: str, operands, output: TensorSpec, options=None) -> np.ndarray:
    """The output of one operator of constants, behind an input that nobody reads."""
    unread = TensorSpec([1], "float32")
    places = list(range(1, 1 + len(operands)))
    operator = OperatorSpec(name, places, [len(places) + 1], options)
    tensors = [unread, *operands, output]
    return _outputs(tensors, [operator], [len(places) + 1], np.zeros(1, np.float32))[0]


def test_a_dense_layer_over_the_last_of_three_axes_computes_its_shapes() -> None:
    """SHAPE, GATHER, REDUCE_PROD and PACK around FULLY_CONNECTED, as Keras exports it."""
    weights = _RNG.standard_normal((3, 5)).astype(np.float32)
    flat = TensorSpec([1, 5], "float32", shape_signature=[-1, 5])
    tensors = [
        TensorSpec([1, 4, 5], "float32", shape_signature=[-1, 4, 5]),
        TensorSpec([3], "int32"),
        _whole([0, 1]),
        TensorSpec([2], "int32"),
        _whole([0]),
        TensorSpec([], "int32"),
        _whole(5),
        TensorSpec([2], "int32"),
        flat,
        TensorSpec(weights.shape, "float32", data=weights),
        TensorSpec([1, 3], "float32", shape_signature=[-1, 3]),
        _whole([-1, 4, 3]),
        TensorSpec([1, 4, 3], "float32", shape_signature=[-1, 4, 3]),
    ]
    operators = [
        OperatorSpec("SHAPE", [0], [1], {}),
        OperatorSpec("GATHER", [1, 2], [3], {}),
        OperatorSpec("REDUCE_PROD", [3, 4], [5], {}),
        OperatorSpec("PACK", [5, 6], [7], {"values_count": 2}),
        OperatorSpec("RESHAPE", [0, 7], [8], {}),
        OperatorSpec("FULLY_CONNECTED", [8, 9, -1], [10], {}),
        OperatorSpec("RESHAPE", [10, 11], [12], {}),
    ]
    x = _RNG.standard_normal((1, 4, 5)).astype(np.float32)
    (y,) = _outputs(tensors, operators, [12], x)
    np.testing.assert_allclose(y, x @ weights.T, rtol=1e-5)


@pytest.mark.parametrize("axes", [[0], [-1], [0, 1]])
@pytest.mark.parametrize("keep", [False, True])
def test_reduce_prod_of_constants(axes: list[int], keep: bool) -> None:
    x = np.array([[1, 2, 3], [4, 5, 1 << 30]], np.int32)
    right = np.prod(x, axis=tuple(axes), keepdims=keep, dtype=np.int32)
    output = TensorSpec(right.shape, "int32")
    found = _one("REDUCE_PROD", [_whole(x), _whole(axes)], output, {"keep_dims": keep})
    assert np.array_equal(found, right)


@pytest.mark.parametrize("span", [(0, 10, 3), (10, 0, -4), (2, 2, 1), (5, 1, 1)])
def test_a_range_of_constants(span: tuple[int, int, int]) -> None:
    output = TensorSpec([0], "int32", shape_signature=[-1])
    found = _one("RANGE", [_whole(value) for value in span], output)
    assert np.array_equal(found, np.arange(*span))


@pytest.mark.parametrize("span", [(0, 2**31 - 1, 1), (0, 1, 0)])
def test_a_range_without_end_is_refused(span: tuple[int, int, int]) -> None:
    with pytest.raises(SmidgenError, match=r"makes 2147483647 values|by 0"):
        _one("RANGE", [_whole(value) for value in span], TensorSpec([0], "int32"))


def test_where_a_constant_holds() -> None:
    holds = np.array([[1, 0, 1], [0, 0, 1]], bool)
    output = TensorSpec([1, 2], "int64", shape_signature=[-1, 2])
    assert np.array_equal(_one("WHERE", [_whole(holds, "bool")], output), np.argwhere(holds))


def test_where_of_what_is_known_at_run_time_only_is_refused() -> None:
    tensors = [TensorSpec([4], "bool"), TensorSpec([1, 1], "int64", shape_signature=[-1, 1])]
    with pytest.raises(UnsupportedOp, match="input 0 is computed at run time"):
        _outputs(tensors, [OperatorSpec("WHERE", [0], [1])], [1], np.zeros(4, bool))


def test_places_of_extremes_as_int64() -> None:
    x = _RNG.standard_normal((3, 5)).astype(np.float32)
    tensors = [TensorSpec([3, 5], "float32"), _whole(-1), TensorSpec([3], "int64")]
    (places,) = _outputs(tensors, [OperatorSpec("ARG_MAX", [0, 1], [2], {})], [2], x)
    assert places.dtype == np.int64 and np.array_equal(places, x.argmax(-1))


def test_tiles() -> None:
    x = _RNG.integers(-128, 128, (2, 1, 3)).astype(np.int8)
    image = [TensorSpec(shape, "int8", 0.5, 3) for shape in ((2, 1, 3), (2, 4, 6))]
    operator = OperatorSpec("TILE", [0, 1], [2])
    (y,) = _outputs([image[0], _whole([1, 4, 2]), image[1]], [operator], [2], x)
    assert np.array_equal(y, np.tile(x, (1, 4, 2)))


def test_a_condition_of_one_axis_selects_rows() -> None:
    a, b = (_RNG.standard_normal((3, 2, 2)).astype(np.float32) for _ in range(2))
    holds = np.array([True, False, True])
    kind = TensorSpec([3, 2, 2], "float32")
    operator = OperatorSpec("SELECT", [0, 1, 2], [3])
    (y,) = _outputs([TensorSpec([3], "bool"), kind, kind, kind], [operator], [3], holds, a, b)
    assert np.array_equal(y, np.where(holds[:, None, None], a, b))


@pytest.mark.parametrize("lengths", [[0, 4, 2], [3, 3, 3], [4, 4, 4], [0, 0, 0]])
def test_sequences_are_reversed_up_to_their_lengths(lengths: list[int]) -> None:
    x = _RNG.standard_normal((2, 4, 3)).astype(np.float32)
    kind = TensorSpec([2, 4, 3], "float32")
    options = {"seq_dim": 1, "batch_dim": 2}
    operator = OperatorSpec("REVERSE_SEQUENCE", [0, 1], [2], options)
    (y,) = _outputs([kind, _whole(lengths), kind], [operator], [2], x)
    right = x.copy()
    for row, length in enumerate(lengths):
        right[:, :length, row] = x[:, :length, row][:, ::-1]
    assert np.array_equal(y, right)


@pytest.mark.parametrize("activation", [0, 1, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_l2_pooling_as_micro(padding: int, activation: int) -> None:
    rows = 3 if padding == 0 else 2
    options = {
        "padding": padding, "stride_w": 2, "stride_h": 2, "filter_width": 3, "filter_height": 2,
        "fused_activation_function": activation,
    }  # fmt: skip
    tensors = [
        TensorSpec([1, 5, 6, 2], "float32"),
        TensorSpec([1, rows, 3 - padding, 2], "float32"),
    ]
    data = write_model(tensors, [OperatorSpec("L2_POOL_2D", [0], [1], options)], [0], [1])
    runs = [[_RNG.uniform(-9, 9, (1, 5, 6, 2)).astype(np.float32)] for _ in range(3)]
    check([Model("l2", data, runs, tolerance=1e-5)])
