"""Every sample model that smidgen takes: reference and C equal TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import UnsupportedError
from smidgen.emulate.device import Device
from smidgen.emulate.proof import prove, random_samples
from smidgen.frontends.load import load_model
from support.outcomes import ample_board, outcome_of
from support.samples import sample_id, tflite_files

INPUTS = 100
LARGE_BYTES = 400_000
LARGE_MACS = 20_000_000
BOARDS = ("raspberry-pi-pico", "nucleo-l4r5zi", "esp32-c3")


def files_and_inputs() -> Iterator[Any]:
    """All files with few inputs; with a hundred, the large ones in the slow suite."""
    for path in tflite_files():
        if path.stat().st_size < LARGE_BYTES:
            yield pytest.param(path, INPUTS, id=sample_id(path))
        else:
            yield pytest.param(path, 3, id=sample_id(path))
            yield pytest.param(path, INPUTS, id=f"{sample_id(path)} all", marks=pytest.mark.slow)


def files_and_boards() -> Iterator[Any]:
    """Every model on every board; of the single layers and large models two boards are slow."""
    for index, path in enumerate(tflite_files()):
        is_small_model = "conformance" not in path.parts and path.stat().st_size < LARGE_BYTES
        for place, board_name in enumerate(BOARDS):
            is_fast = is_small_model or index % len(BOARDS) == place
            marks = () if is_fast else (pytest.mark.slow,)
            yield pytest.param(path, board_name, id=f"{sample_id(path)} {board_name}", marks=marks)


@pytest.mark.parametrize(("path", "inputs"), list(files_and_inputs()))
def test_reference_and_c_equal_micro(path: Path, inputs: int) -> None:
    outcome = outcome_of(path, inputs)
    if outcome.refused:
        pytest.skip(f"refused: {outcome.refused}")
    assert outcome.reference_against_micro in ("", "Micro refuses it")
    assert outcome.c_against_reference == ""


@pytest.mark.parametrize(("path", "name"), list(files_and_boards()))
def test_emulated_cores_equal_the_reference(path: Path, name: str) -> None:
    try:
        graph = load_model(path)
        target = ample_board(name)
        artifact = compile_graph(graph, target, "model")
    except UnsupportedError as problem:
        pytest.skip(f"refused: {problem}")
    samples = random_samples(graph, 1 if graph.macs > LARGE_MACS else 3)
    assert prove(graph, Device(artifact, target), samples).holds
