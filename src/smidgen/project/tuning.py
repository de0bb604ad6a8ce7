"""What competes for the layers of a model, measured and chosen, as text; tables as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from smidgen.compiler.bands.kernels import BandKernels
from smidgen.compiler.choice import Wanted, choose, ways
from smidgen.compiler.costs import CostTable, parse, shipped, write
from smidgen.compiler.objective import objective_called
from smidgen.compiler.pipeline import optimise
from smidgen.compiler.sharing import Style
from smidgen.core.errors import InputError
from smidgen.core.table import render
from smidgen.graph.graph import Graph
from smidgen.search.tuning import tune
from smidgen.targets.cache import store
from smidgen.targets.catalogue import Board


def offers_text(
    graph: Graph, board: Board, objective: str, progress: Callable[[int, int], None]
) -> tuple[str, CostTable]:
    """One line for each offer of each layer, the chosen one marked; and the measurements.

    Raises EmulationError for a board whose core is not emulated.
    """
    known = tune(graph, board, objective, shipped(), progress)
    lowered, wanted = optimise(graph), Wanted(objective_called(objective), known)
    kernels = BandKernels(board.core, wanted.objective)
    rows, keys = [], set()
    for node, choice in zip(lowered.nodes, choose(lowered, kernels, wanted), strict=True):
        for way in ways(lowered, node, board.core, wanted.kernels):
            if way.key not in known:
                continue
            keys.add(way.key)
            for style in Style:
                run = known[way.key].runs[style]
                taken = way.call.function == choice.call.function and style is choice.style
                cycles = "-" if run.modelled_cycles is None else f"{run.modelled_cycles:,}"
                sizes = (f"{run.layer_bytes:,}", f"{run.shared_bytes:,}")
                row = (node.name, way.call.kernel, style.value, f"{run.instructions:,}", cycles)
                rows.append((*row, *sizes, "chosen" if taken else ""))
    header = ("layer", "kernel", "code", "instructions", "mod. cycles", "own B", "shared B", "")
    return render(header, rows, left=3), {key: known[key] for key in sorted(keys)}


def read_table(path: Path) -> CostTable:
    """The table of costs in `path`, empty where there is no such file.

    Raises InputError for a file that is no table of costs.
    """
    if not path.exists():
        return {}
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(str(path), str(problem), "choose another file for --table") from problem


def write_table(path: Path, table: CostTable) -> None:
    """Put `table` into `path` in one step."""
    store(path, write(table).encode())
