"""LSTM and SVDF over several runs, with their state: NumPy = Micro = C."""

from __future__ import annotations

import numpy as np
import pytest

from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.graph.evaluate import Reference
from smidgen.ops.support.sigmoid16 import SIGMOID_TABLE, sigmoid16, tanh16
from support.layers import activations, lstm_model, svdf_model
from support.samples import DATA, needs_data
from support.tflite_writer import pack, unpack
from support.threeway import Model, check, graph_of

TOLERANCE = 1e-5


@pytest.mark.parametrize(
    ("dtype", "state"), [("int8", "int8"), ("int8", "int16"), ("float32", "float32")]
)
def test_svdf_remembers_as_many_runs_as_its_memory(dtype: str, state: str) -> None:
    rng, models = np.random.default_rng(1), []
    for batch, rank, activation in ((1, 1, 0), (2, 2, 1), (1, 3, 0)):
        data = svdf_model(rng, dtype, batch=batch, rank=rank, state=state, activation=activation)
        runs = [[activations(rng, dtype, (batch, 5))] for _ in range(6)]
        models.append(Model(f"svdf {dtype} {state} {batch}", data, runs, TOLERANCE))
    check(models)


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32"])
def test_lstm_goes_on_from_run_to_run(dtype: str) -> None:
    rng, models = np.random.default_rng(2), []
    for batch, time_major, clip, power in (
        (1, False, 0.0, -11),
        (2, True, 0.0, -12),
        (2, False, 0.5, -9),
        (1, True, 0.3, -13),
    ):
        data = lstm_model(
            rng, dtype, batch=batch, time_major=time_major, cell_clip=clip, cell_power=power
        )
        shape = (3, batch, 4) if time_major else (batch, 3, 4)
        runs = [[activations(rng, dtype, shape)] for _ in range(4)]
        models.append(Model(f"lstm {dtype} {batch} {time_major} {clip}", data, runs, TOLERANCE))
    check(models)


def test_reset_forgets() -> None:
    rng = np.random.default_rng(3)
    reference = Reference(graph_of(Model("lstm", lstm_model(rng, "int8"), [])))
    x = [activations(rng, "int8", (1, 3, 4))]
    first, second = reference.run(x)[0], reference.run(x)[0]
    reference.reset()
    assert not np.array_equal(first, second)
    assert np.array_equal(reference.run(x)[0], first)


def test_extras_of_an_lstm_are_refused_by_name() -> None:
    model = unpack(lstm_model(np.random.default_rng(4), "int8"))
    operator = model.subgraphs[0].operators[0]
    operator.inputs = [-1 if place in (1, 5) else i for place, i in enumerate(operator.inputs)]
    with pytest.raises(UnsupportedOp, match="coupled gates"):
        graph_of(Model("cifg", pack(model), []))


def test_a_state_that_is_no_variable_is_refused() -> None:
    model = unpack(lstm_model(np.random.default_rng(5), "int8"))
    for tensor in model.subgraphs[0].tensors:
        tensor.isVariable = False
    with pytest.raises(ModelFileError, match="before anything wrote it"):
        graph_of(Model("fixed", pack(model), []))


def test_sixteen_bit_sigmoid_and_tanh_are_close_to_the_real_ones() -> None:
    x = np.arange(-32768, 32768)
    assert np.abs(sigmoid16(3 * x) / 32768 - 1 / (1 + np.exp(-x / 4096))).max() < 1e-4
    assert np.abs(tanh16(3 * x) / 32768 - np.tanh(x / 4096)).max() < 1e-4
    assert SIGMOID_TABLE[0] == 32768
    assert (np.diff(SIGMOID_TABLE.astype(int)) >= 0).all()


@needs_data
@pytest.mark.parametrize("name", ["trained_lstm_int8", "trained_lstm"])
def test_a_trained_lstm(name: str) -> None:
    path = DATA / "models" / "tflm" / f"{name}.tflite"
    rng = np.random.default_rng(6)
    dtype = "int8" if name.endswith("int8") else "float32"
    runs = [[activations(rng, dtype, (1, 28, 28))] for _ in range(3)]
    check([Model(name, path.read_bytes(), runs, TOLERANCE)])
