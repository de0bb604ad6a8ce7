"""Compile, prove and measure one graph, and leave C and report in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import Array
from smidgen.emulate.device import Device
from smidgen.emulate.emulators import why_not_at_hand
from smidgen.emulate.measure import Measurement, measure
from smidgen.emulate.proof import Proof, prove, random_samples
from smidgen.emulate.tables import layer_table, proof_line, summary
from smidgen.emulate.unverified import (
    UnverifiedBuild,
    examine_unverified,
    prove_on_host,
    unverified_text,
)
from smidgen.graph.graph import Graph
from smidgen.project.calibration import SampleFiles, calibrated
from smidgen.search.fitting import compile_tuned
from smidgen.search.tuning import ignore_rounds
from smidgen.targets.catalogue import Board, is_board_file
from smidgen.targets.catalogue import board as find_board

REPORT_TEXT, REPORT_JSON = "report.txt", "report.json"
BOARD_FILE = "board.toml"
_PROOF_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Tuning:
    """That kernels are to be measured, for how much flash (None: no limit), and who is told."""

    flash_budget_bytes: int | None = None
    progress: Callable[[int, int], None] = ignore_rounds


@dataclass(frozen=True, slots=True)
class Build:
    """An artifact, its proof and measurement, and the report's text.

    For a core that is not emulated the proof is of the C on this computer, or None, and the
    measurement what compiling tells.
    """

    artifact: Artifact
    proof: Proof | None
    measurement: Measurement | UnverifiedBuild
    text: str
    files: tuple[str, ...]

    @property
    def is_verified(self) -> bool:
        """Whether an emulated core ran it."""
        return isinstance(self.measurement, Measurement)


def build(
    graph: Graph,
    board_name: str,
    folder: Path,
    name: str = "",
    objective: str = "balanced",
    calibration: Sequence[Path] | SampleFiles = (),
    ram_budget_bytes: int | None = None,
    tuning: Tuning | None = None,
) -> Build:
    """Compile `graph`, prove it on made-up inputs, and write C and report into `folder`.

    A float graph is quantised first where `calibration` names files of samples, one an input.
    With `tuning`, kernels are chosen by what they take on the board's emulated core.
    A core that no emulator at hand runs gets what compiling tells, and is reported as not verified.
    Nothing is written unless all of it worked. Raises SmidgenError's branches.
    """
    board = find_board(board_name)
    graph = calibrated(graph, calibration)
    artifact = _compiled(graph, board, name, objective, ram_budget_bytes, tuning)
    samples = random_samples(graph, _PROOF_SAMPLES)
    examine = _unverified if why_not_at_hand(board.core) else _verified
    measurement, proof, text = examine(graph, artifact, board, samples)
    content = json.dumps(report_dict(measurement, proof), indent=1)
    extra = {REPORT_TEXT: text + "\n", REPORT_JSON: content + "\n", **_own_board(board_name)}
    artifact.write(folder, extra)
    return Build(artifact, proof, measurement, text, (*sorted(artifact.files), *extra))


def _compiled(
    graph: Graph,
    board: Board,
    name: str,
    objective: str,
    ram_budget_bytes: int | None,
    tuning: Tuning | None,
) -> Artifact:
    if tuning is None:
        return compile_graph(graph, board, name, objective, ram_budget_bytes)
    return compile_tuned(
        graph,
        board,
        name,
        objective,
        tuning.flash_budget_bytes,
        tuning.progress,
        ram_budget_bytes=ram_budget_bytes,
    )


def board_of(folder: Path, artifact: Artifact) -> str:
    """What names the board that the build in `folder` is for: its board file, if it has one."""
    own = folder / BOARD_FILE
    return str(own) if own.is_file() else artifact.manifest.board


def _own_board(board_name: str) -> dict[str, str]:
    """The user's own board file, which a build keeps so that it can be run again."""
    if not is_board_file(board_name):
        return {}
    return {BOARD_FILE: Path(board_name).read_text(encoding="utf-8")}


def _verified(
    graph: Graph, artifact: Artifact, board: Board, samples: Sequence[Sequence[Array]]
) -> tuple[Measurement | UnverifiedBuild, Proof | None, str]:
    device = Device(artifact, board)
    proof = prove(graph, device, samples)
    device.reset()
    measurement = measure(device, samples)
    lines = [summary(measurement), proof_line(proof), "", layer_table(measurement)]
    return measurement, proof, "\n".join(lines)


def _unverified(
    graph: Graph, artifact: Artifact, board: Board, samples: Sequence[Sequence[Array]]
) -> tuple[Measurement | UnverifiedBuild, Proof | None, str]:
    known = examine_unverified(artifact, board)
    proof = prove_on_host(graph, artifact, samples)
    return known, proof, unverified_text(known, proof)


def report_dict(measurement: Measurement | UnverifiedBuild, proof: Proof | None) -> dict[str, Any]:
    """The report as plain data; `proof` is null where nothing ran the C."""
    return {**measurement.to_dict(), "proof": None if proof is None else _proof_dict(proof)}


def _proof_dict(proof: Proof) -> dict[str, Any]:
    return {
        "inputs": proof.inputs,
        "bytes_compared": proof.bytes_compared,
        "mismatches": proof.mismatches,
        "largest_float_error": proof.largest_float_error,
    }
