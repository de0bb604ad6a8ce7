"""The code of a model, kernels included, stays small on a Cortex-M4, and "size" makes it least."""

from __future__ import annotations

from pathlib import Path

import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.emulate.device import Device
from smidgen.frontends.load import load_model
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import board
from support.samples import DATA

BOARD = "nucleo-l4r5zi"
LIMITS = {
    "cfu_golden/kws_dscnn/kws_ref_model.tflite": 10_240,
    "cfu_golden/imgc_resnet8/pretrainedResnet_quant.tflite": 10_240,
    "tinymaix/mbnet96_0.25_q.tflite": 10_240,
    "mltk/keyword_spotting_alexa.tflite": 10_240,
    "mltk/keyword_spotting_mobilenetv2.tflite": 10_240,
    "mltk/keyword_spotting_on_off_v3.tflite": 10_240,
    "mltk/anomaly_detection.tflite": 3_072,
}


def code_bytes(graph: Graph, objective: str) -> int:
    target = board(BOARD)
    device = Device(compile_graph(graph, target, objective=objective), target)
    return device.machine.firmware.sizes.code


@pytest.mark.parametrize(("model", "limit"), LIMITS.items(), ids=[Path(m).stem for m in LIMITS])
def test_code_stays_small(model: str, limit: int) -> None:
    if DATA is None:
        pytest.skip("SMIDGEN_DATA names no folder of sample data")
    graph = load_model(DATA / "models" / model)
    size, balanced = (code_bytes(graph, objective) for objective in ("size", "balanced"))
    assert size <= balanced <= limit
