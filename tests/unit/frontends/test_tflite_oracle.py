"""The test support itself: what is written here runs on TensorFlow Lite Micro, and reads back."""

from __future__ import annotations

import numpy as np
import pytest

from support.oracle import MicroOracle, OracleRefused, micro_outputs, micro_outputs_isolated
from support.tflite_writer import OperatorSpec, TensorSpec, write_model


def sum_of_two() -> bytes:
    """y = a + b on int8 at scale 1."""
    tensor = TensorSpec([1, 4], scale=1.0)
    options = {"fused_activation_function": 0}
    return write_model([tensor] * 3, [OperatorSpec("ADD", [0, 1], [2], options)], [0, 1], [2])


def test_one_oracle_serves_many_runs() -> None:
    oracle = MicroOracle(sum_of_two())
    for step in range(3):
        left, right = np.array([[1, -2, 100, step]], np.int8), np.array([[1, 1, 100, 5]], np.int8)
        assert oracle.run([left, right])[0].tolist() == [[2, -1, 127, 5 + step]]
    assert oracle.input_details(0)["quantization_parameters"]["scales"].tolist() == [1.0]


def test_state_goes_on_until_it_is_reset() -> None:
    """An SVDF of rank 1 with memory 2 sums its last two inputs."""
    tensors = [
        TensorSpec([1, 1], "float32"),
        TensorSpec([1, 1], "float32", data=np.ones((1, 1))),
        TensorSpec([1, 2], "float32", data=np.ones((1, 2))),
        TensorSpec([1, 2], "float32", is_variable=True),
        TensorSpec([1, 1], "float32"),
        TensorSpec([1], "float32", data=np.zeros(1)),
    ]
    # The runtime crashes on an SVDF without a bias.
    svdf = OperatorSpec("SVDF", [0, 1, 2, 5, 3], [4], {"rank": 1})
    oracle = MicroOracle(write_model(tensors, [svdf], [0], [4]))
    one = [np.ones((1, 1), np.float32)]
    assert [oracle.run(one)[0].item() for _ in range(3)] == [1, 2, 2]
    oracle.reset()
    assert oracle.run(one)[0].item() == 1


def test_refusals_and_crashes_are_exceptions() -> None:
    given = [np.zeros((1, 4), np.int8)] * 2
    assert micro_outputs(sum_of_two(), given)[0].tolist() == [[0, 0, 0, 0]]
    assert micro_outputs_isolated(sum_of_two(), given)[0].tolist() == [[0, 0, 0, 0]]
    with pytest.raises(OracleRefused):
        micro_outputs_isolated(sum_of_two(), given, arena_bytes=100)
    with pytest.raises(OracleRefused):
        micro_outputs(sum_of_two(), given[:1])
    tensor = TensorSpec([1, 4], scale=1.0)
    with pytest.raises(OracleRefused):
        micro_outputs(
            write_model([tensor] * 2, [OperatorSpec("NoSuchOp", [0], [1])], [0], [1]), given[:1]
        )
