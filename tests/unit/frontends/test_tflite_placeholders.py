"""Shapes that the exporter did not know: a batch of -1 stands as 1 in the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.evaluate import Reference
from support.oracle import micro_outputs
from support.tflite_writer import OperatorSpec, TensorSpec, write_model

_RNG = np.random.default_rng(3)
_WEIGHTS = _RNG.integers(-127, 128, (2, 1, 3, 3)).astype(np.int8)
_BIAS = _RNG.integers(-500, 500, 2).astype(np.int32)


def _constant(values) -> TensorSpec:
    values = np.array(values, np.int32)
    return TensorSpec(values.shape, "int32", data=values)


def _image(*shape: int) -> TensorSpec:
    return TensorSpec(shape, "int8", 0.05, 3)


_TENSORS = [
    _image(1, 12, 3),
    _constant([2]),
    _constant([[0, 0]]),
    _image(2, 6, 3),
    _constant(1),
    _image(2, 1, 6, 3),
    TensorSpec([2, 1, 3, 3], "int8", 0.01, 0, data=_WEIGHTS),
    TensorSpec([2], "int32", 0.0005, 0, data=_BIAS),
    _image(2, 1, 4, 2),
    _constant([-1, 4, 2]),
    _image(2, 4, 2),
    _image(1, 8, 2),
]
_CONV = {"padding": 1, "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}


def _dilated(tensors, squeeze: OperatorSpec) -> bytes:
    """A dilated 1-D convolution as the converter writes it for a batch of unknown size."""
    operators = [
        OperatorSpec("SPACE_TO_BATCH_ND", [0, 1, 2], [3]),
        OperatorSpec("EXPAND_DIMS", [3, 4], [5]),
        OperatorSpec("CONV_2D", [5, 6, 7], [8], _CONV),
        squeeze,
        OperatorSpec("BATCH_TO_SPACE_ND", [10, 1, 2], [11]),
    ]
    return write_model(tensors, operators, [0], [11])


def _unknown_batch(tensor: TensorSpec) -> TensorSpec:
    if tensor.data is not None:
        return tensor
    rest = tensor.shape[1:]
    return replace(tensor, shape=(1, *rest), shape_signature=(-1, *rest))


@pytest.mark.parametrize(
    "squeeze",
    [
        OperatorSpec("RESHAPE", [8, 9], [10], {}),
        OperatorSpec("RESHAPE", [8], [10], {"new_shape": [-1, 4, 2]}),
        OperatorSpec("SQUEEZE", [8], [10], {"squeeze_dims": [1]}),
        OperatorSpec("SQUEEZE", [8], [10], {}),
    ],
    ids=["operand", "option", "squeeze", "squeeze all"],
)
def test_a_batch_that_the_file_does_not_know_takes_the_size_that_follows(squeeze) -> None:
    known = _dilated(_TENSORS, squeeze)
    unknown = _dilated([_unknown_batch(tensor) for tensor in _TENSORS], squeeze)
    x = _RNG.integers(-128, 128, (1, 12, 3)).astype(np.int8)
    graph = convert(parse_model(unknown, "dilated"), "dilated")
    (y,) = Reference(graph).run([x])
    assert np.array_equal(y, micro_outputs(known, [x])[0])
    assert graph.tensors[graph.outputs[0]].shape == (1, 8, 2)


def test_a_size_that_the_file_claims_to_know_must_be_right() -> None:
    squeeze = OperatorSpec("RESHAPE", [8, 9], [10], {})
    tensors = [*_TENSORS[:3], _image(1, 6, 3), *_TENSORS[4:]]
    with pytest.raises(ModelFileError, match=r"int8\[1, 6, 3\] in the file, but int8\[2, 6, 3\]"):
        convert(parse_model(_dilated(tensors, squeeze), "dilated"), "dilated")


def test_broadcasts_and_fills_go_by_their_operand() -> None:
    x = TensorSpec([1, 1, 3], "float32", shape_signature=[-1, 1, 3])
    wide = TensorSpec([1, 1, 3], "float32", shape_signature=[-1, -1, 3])
    one = TensorSpec([], "float32", data=np.array(1.5, np.float32))
    operators = [
        OperatorSpec("BROADCAST_TO", [0, 1], [2]),
        OperatorSpec("FILL", [1, 3], [4]),
        OperatorSpec("ADD", [2, 4], [5], {}),
    ]
    data = write_model([x, _constant([1, 4, 3]), wide, one, wide, wide], operators, [0], [5])
    given = np.array([[[1.0, 2.0, 3.0]]], np.float32)
    (y,) = Reference(convert(parse_model(data, "wide"), "wide")).run([given])
    assert np.array_equal(y, np.broadcast_to(given + np.float32(1.5), (1, 4, 3)))
