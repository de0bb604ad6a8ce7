"""Compile, prove and measure one graph, and leave C and report in a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.emulate.device import Device
from smidgen.emulate.measure import Measurement, measure
from smidgen.emulate.proof import Proof, prove, random_samples
from smidgen.emulate.tables import layer_table, proof_line, summary
from smidgen.graph.graph import Graph
from smidgen.project.calibration import calibrated
from smidgen.targets.catalogue import board as find_board

REPORT_TEXT, REPORT_JSON = "report.txt", "report.json"
_PROOF_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Build:
    """An artifact, its proof and measurement, and the report's text."""

    artifact: Artifact
    proof: Proof
    measurement: Measurement
    text: str
    files: tuple[str, ...]


def build(
    graph: Graph,
    board_name: str,
    folder: Path,
    name: str = "",
    objective: str = "balanced",
    calibration: Sequence[Path] = (),
) -> Build:
    """Compile `graph`, prove it on made-up inputs, and write C and report into `folder`.

    A float graph is quantised first where `calibration` names files of samples, one an input.
    Nothing is written unless all of it worked. Raises SmidgenError's branches.
    """
    board = find_board(board_name)
    graph = calibrated(graph, calibration)
    artifact = compile_graph(graph, board, name, objective)
    device = Device(artifact, board)
    samples = random_samples(graph, _PROOF_SAMPLES)
    proof = prove(graph, device, samples)
    device.reset()
    measurement = measure(device, samples)
    text = "\n".join([summary(measurement), proof_line(proof), "", layer_table(measurement)])
    content = json.dumps(report_dict(measurement, proof), indent=1)
    artifact.write(folder, {REPORT_TEXT: text + "\n", REPORT_JSON: content + "\n"})
    return Build(
        artifact, proof, measurement, text, (*sorted(artifact.files), REPORT_TEXT, REPORT_JSON)
    )


def report_dict(measurement: Measurement, proof: Proof) -> dict[str, Any]:
    """The report as plain data."""
    return {
        **measurement.to_dict(),
        "proof": {
            "inputs": proof.inputs,
            "bytes_compared": proof.bytes_compared,
            "mismatches": proof.mismatches,
            "largest_float_error": proof.largest_float_error,
        },
    }
