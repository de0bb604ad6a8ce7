"""Every sample model that smidgen takes: reference and C equal TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import UnsupportedError
from smidgen.emulate.device import Device
from smidgen.emulate.proof import prove, random_samples
from smidgen.frontends.load import load_model
from support.outcomes import ample_board, outcome_of
from support.samples import sample_id, tflite_files

INPUTS = 100
LARGE_MACS = 20_000_000
BOARDS = ("raspberry-pi-pico", "nucleo-l4r5zi", "esp32-c3")


@pytest.mark.parametrize("path", tflite_files(), ids=sample_id)
def test_reference_and_c_equal_micro(path: Path) -> None:
    outcome = outcome_of(path, INPUTS)
    if outcome.refused:
        pytest.skip(f"refused: {outcome.refused}")
    assert outcome.reference_against_micro in ("", "Micro refuses it")
    assert outcome.c_against_reference == ""


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("path", tflite_files(), ids=sample_id)
def test_emulated_cores_equal_the_reference(path: Path, name: str) -> None:
    try:
        graph = load_model(path)
        target = ample_board(name)
        artifact = compile_graph(graph, target, "model")
    except UnsupportedError as problem:
        pytest.skip(f"refused: {problem}")
    samples = random_samples(graph, 1 if graph.macs > LARGE_MACS else 3)
    assert prove(graph, Device(artifact, target), samples).holds
