"""Sizes and instruction counts of small models stay as recorded, so that a diff shows a change.

`make record` writes the file anew; the change to it belongs in the commit that causes it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.emulate.device import Device
from smidgen.emulate.measure import measure
from smidgen.emulate.proof import random_samples
from smidgen.frontends.load import load_model
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import board
from support.graphs import small_convnet
from support.models import keyword_like_model
from support.samples import DATA

RECORD = Path(__file__).with_name("recorded.json")
BOARDS = ("raspberry-pi-pico", "nucleo-f103rb", "nucleo-l4r5zi", "nucleo-u575zi", "esp32-c3")
FIGURES = ("instructions", "arena_bytes", "stack_bytes", "code_bytes", "weight_bytes")
SAMPLES = {
    "kws_dscnn": "models/cfu_golden/kws_dscnn/kws_ref_model.tflite",
    "micro_speech": "models/tflm/micro_speech_quantized.tflite",
    "gestures": "models/edge_impulse/gestures-i8.lite",
    "hey_jarvis": "models/micro_wake_word/v2_hey_jarvis.tflite",
}


def graph_called(name: str, folder: Path) -> Graph:
    if name == "small_convnet":
        return small_convnet()
    if name == "keywords":
        path = folder / "keywords.tflite"
        path.write_bytes(keyword_like_model())
        return load_model(path)
    if DATA is None:
        pytest.skip("SMIDGEN_DATA names no folder of sample data")
    return load_model(DATA / SAMPLES[name])


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("name", ["small_convnet", "keywords", *SAMPLES])
def test_figures_are_those_recorded(name: str, board_name: str, tmp_path: Path) -> None:
    graph, target = graph_called(name, tmp_path), board(board_name)
    device = Device(compile_graph(graph, target), target)
    measurement = measure(device, random_samples(graph, 1))
    figures = {figure: getattr(measurement, figure) for figure in FIGURES}
    if os.environ.get("SMIDGEN_RECORD"):
        record(f"{name} {board_name}", figures)
    assert json.loads(RECORD.read_text())[f"{name} {board_name}"] == figures


def record(key: str, figures: dict[str, int]) -> None:
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    known[key] = figures
    RECORD.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
