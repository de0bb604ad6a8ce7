"""The public functions: load, compile, run, verify, profile, boards. The CLI only calls these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.core.dtypes import Array
from smidgen.emulate.device import Device
from smidgen.emulate.measure import Measurement, measure
from smidgen.emulate.proof import Proof, ignore_progress, prove, random_samples
from smidgen.emulate.samples import draw_inputs
from smidgen.frontends.load import load_model
from smidgen.graph.graph import Graph
from smidgen.search.fitting import compile_tuned
from smidgen.targets import catalogue
from smidgen.targets.catalogue import Board


def load(path: Path | str) -> Graph:
    """Read a model file into a graph.

    Raises:
        ModelFileError: the file is missing, damaged or no model.
        UnsupportedError: it holds an op or a type that smidgen does not take.
    """
    return load_model(path)


def compile(
    graph: Graph,
    board: str | Board,
    name: str = "",
    objective: str = "balanced",
    ram_budget_bytes: int | None = None,
    *,
    tune: bool = False,
    flash_budget_bytes: int | None = None,
) -> Artifact:
    """Compile a graph to C for a board.

    Args:
        graph: what to compile; integer graphs give integer-only C.
        board: a board, or its name in the catalogue, or the path of a board's .toml file.
        name: prefix of the C identifiers and file names; default: the graph's name.
        objective: "size", "balanced" or "speed".
        ram_budget_bytes: the most that the arena may have. Where it would have more, layers run in
            bands of rows, with the same output bytes; the stack comes on top.
        tune: measure on the emulated core what kernels take, and choose by that.
        flash_budget_bytes: tune for the most speed in so many bytes of flash, code and constants.

    Raises:
        UnknownName: no such board or objective.
        DoesNotFit: no way was found to keep a budget.
        UnsupportedError: no kernel serves some op or type.
        EmulationError: kernels are to be measured on a core that is not emulated.
    """
    if tune or flash_budget_bytes is not None:
        make = partial(compile_tuned, ram_budget_bytes=ram_budget_bytes)
        return make(graph, _board(board), name, objective, flash_budget_bytes)
    return compile_graph(graph, _board(board), name, objective, ram_budget_bytes)


def run(
    artifact: Artifact, inputs: Sequence[Array], board: str | Board | None = None
) -> list[Array]:
    """One inference on the emulated board: outputs in the model's order, dtypes and shapes.

    `board` defaults to the one that the artifact was compiled for.

    Raises:
        ArrayError: an input has the wrong shape or type.
        DoesNotFit: the build exceeds the board's flash or RAM.
        EmulationError: the core faulted.
    """
    return Device(artifact, _board(board or artifact.manifest.board)).run(inputs)


def verify(
    graph: Graph,
    artifact: Artifact,
    samples: Sequence[Sequence[Array]] | None = None,
    progress: Callable[[int], None] = ignore_progress,
) -> Proof:
    """Compare the emulated board's output bytes with the reference's, for every sample.

    `samples` holds one array for each model input; default: 8 drawn over the whole input range.
    """
    chosen = random_samples(graph, 8) if samples is None else samples
    return prove(graph, Device(artifact, _board(artifact.manifest.board)), chosen, progress)


def profile(
    artifact: Artifact,
    samples: Sequence[Sequence[Array]] | None = None,
    board: str | Board | None = None,
    inputs: int = 4,
) -> Measurement:
    """Flash, RAM, stack, instructions and modelled cycles, in all and by layer.

    Args:
        artifact: what to measure.
        samples: one array for each model input; default: `inputs` drawn over the whole range.
        board: default: the one that the artifact was compiled for, by its name.
        inputs: how many are drawn: all lowest, all highest, then random.

    Raises:
        EmulationError: the core faulted, or is not emulated.
    """
    device = Device(artifact, _board(board or artifact.manifest.board))
    if samples is None:
        samples = draw_inputs([port.type for port in artifact.manifest.inputs], inputs)
    return measure(device, samples)


def boards() -> tuple[Board, ...]:
    """All boards of the catalogue, by name."""
    return catalogue.boards()


def _board(board: str | Board) -> Board:
    return catalogue.board(board) if isinstance(board, str) else board
