"""Damaged models through load, optimise and compile: an artifact or an error of smidgen's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fuzz_compile import attack, drawn_seeds, sound_and_damaged

from smidgen.core.errors import SmidgenError
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from support.samples import needs_data, sample_id, tflite_files
from support.tflite_writer import OperatorSpec, TensorSpec, write_model

BOARDS = ("esp32-c3", "nucleo-l4r5zi")
SMALL_SAMPLES = [path for path in tflite_files() if path.stat().st_size < 40_000][::9]


def attack_all(seeds: Sequence[bytes], runs: int, seed: int) -> list[bool]:
    """Whether each damaged model was taken; a finding names its run."""
    return [attack(data, BOARDS[run % 2]) for run, data in sound_and_damaged(seeds, runs, seed)]


def test_damaged_networks_of_every_operator() -> None:
    outcomes = attack_all(drawn_seeds(), 600, seed=1)
    assert 0.1 < np.mean(outcomes) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_damaged_networks(seed: int) -> None:
    assert any(attack_all(drawn_seeds(), 10000, seed))


@needs_data
@pytest.mark.parametrize("path", SMALL_SAMPLES, ids=sample_id)
def test_damaged_real_models(path) -> None:
    attack_all([path.read_bytes()], 12, seed=3)


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("path", tflite_files(), ids=sample_id)
def test_many_damaged_real_models(path) -> None:
    attack_all([path.read_bytes()], 40, seed=4)


ONE_OPERAND = ("ABS", "RELU", "SOFTMAX", "QUANTIZE", "CAST", "ADD", "PRELU", "ADD_N", "TANH")


@pytest.mark.parametrize("name", ONE_OPERAND)
@pytest.mark.parametrize("inputs", [[], [-1]])
def test_an_operator_without_its_operands_is_named(name: str, inputs: list[int]) -> None:
    tensor = TensorSpec([2, 3], "int8", 0.5)
    data = write_model([tensor, tensor], [OperatorSpec(name, inputs, [1])], [0], [1])
    with pytest.raises(SmidgenError, match=f"damaged.*{name}"):
        convert(parse_model(data, "damaged"), "damaged")


@pytest.mark.parametrize("name", ["SOFTMAX", "RELU", "QUANTIZE", "LOGISTIC"])
def test_quanta_without_a_scale_are_refused(name: str) -> None:
    data = write_model([TensorSpec([2, 3])] * 2, [OperatorSpec(name, [0], [1])], [0], [1])
    with pytest.raises(SmidgenError):
        from smidgen.compiler.compile import compile_graph
        from smidgen.targets.catalogue import board

        compile_graph(convert(parse_model(data, "plain"), "plain"), board("esp32-c3"))


def test_a_uint8_constant_without_axes_is_taken() -> None:
    value = TensorSpec([], "uint8", 0.5, 100, data=np.array(130, np.uint8))
    x = TensorSpec([2, 3], "uint8", 0.5, 100)
    data = write_model([x, value, x], [OperatorSpec("MAXIMUM", [0, 1], [2])], [0], [2])
    graph = convert(parse_model(data, "scalar"), "scalar")
    assert any(tensor.is_constant for tensor in graph.tensors.values())


def test_every_damage_is_the_same_every_time() -> None:
    first, again = (list(sound_and_damaged(drawn_seeds()[:5], 20, seed=9)) for _ in range(2))
    assert first == again
