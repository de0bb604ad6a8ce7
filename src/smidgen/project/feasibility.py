"""Whether a model will compile for a board and fit on it: all problems at once, in a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smidgen.compiler.choice import choose_kernel
from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import SmidgenError, UnsupportedError
from smidgen.emulate.linked.firmware import Sizes
from smidgen.emulate.unverified import compiled_sizes
from smidgen.frontends.load import survey_model
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Board


@dataclass(frozen=True, slots=True)
class Feasibility:
    """What stands in the way (nothing, if `problems` is empty), and what the build would take.

    `sizes` is None while something stands in the way, and where no compiler here serves the core;
    `how_compiled` says how far compiling went.
    """

    graph: Graph
    board: Board
    problems: tuple[SmidgenError, ...]
    sizes: Sizes | None
    arena_bytes: int | None
    how_compiled: str = ""

    @property
    def holds(self) -> bool:
        """Whether it compiles and fits."""
        return not self.problems


def examine(path: Path, board: Board, ram_budget_bytes: int | None = None) -> Feasibility:
    """Look for everything that keeps the model from running on the board, and within a budget.

    Raises ModelFileError for a file that is no model at all.
    """
    graph, refused = survey_model(path)
    problems: list[SmidgenError] = [*refused, *_without_kernel(graph, board)]
    if problems:
        return Feasibility(graph, board, tuple(problems), None, None)
    try:
        artifact = compile_graph(graph, board, ram_budget_bytes=ram_budget_bytes)
        sizes, how = compiled_sizes(artifact, board)
    except SmidgenError as problem:
        return Feasibility(graph, board, (problem,), None, None)
    return Feasibility(graph, board, (), sizes, artifact.manifest.arena_bytes, how)


def _without_kernel(graph: Graph, board: Board) -> list[UnsupportedError]:
    problems: list[UnsupportedError] = []
    for node in graph.nodes:
        try:
            choose_kernel(graph, node, board.core)
        except UnsupportedError as problem:
            problems.append(problem)
    return problems
