"""What tuning gains: models by declared costs and by measured ones, under two objectives.

    python benchmarks/gains.py        # writes the table of docs/tuning.md

Every build is compared with the reference, byte by byte.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tune import MODELS

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.emulate.device import Device
from smidgen.emulate.measure import Measurement, measure
from smidgen.emulate.proof import prove, random_samples
from smidgen.frontends.load import load_model
from smidgen.graph.graph import Graph
from smidgen.search.fitting import compile_tuned
from smidgen.targets.ample import ample
from smidgen.targets.catalogue import Board, board

_PAGE = Path(__file__).parents[1] / "docs" / "tuning.md"
_BEGIN, _END = "<!-- gains: python benchmarks/gains.py -->\n", "<!-- end of gains -->"
_OBJECTIVES = ("balanced", "speed")
_HEAD = (
    "| model | objective | instructions | tuned | modelled cycles | tuned | flash B | tuned |\n"
    "|---|---|---|---|---|---|---|---|\n"
)


def taken(graph: Graph, artifact: Artifact, target: Board) -> Measurement:
    """What a build takes for a random input, after it was proved exact."""
    device, samples = Device(artifact, target), random_samples(graph, 4)
    if not prove(graph, device, samples).holds:
        sys.exit(f"{graph.name}: the build differs from the reference")
    device.reset()
    return measure(device, samples[2:3])


def rows(folder: Path) -> Iterator[str]:
    """One line of the table for each model and objective."""
    target = ample(board("nucleo-l4r5zi"))
    for model in MODELS:
        graph = load_model(folder / model)
        for objective in _OBJECTIVES:
            print(f"- {model} {objective}", file=sys.stderr)
            plain = compile_graph(graph, target, objective=objective, costs={})
            tuned = compile_tuned(graph, target, objective=objective)
            pair = taken(graph, plain, target), taken(graph, tuned, target)
            cells = [*_pair(*(each.instructions for each in pair))]
            cells += _pair(*(each.modelled_cycles or 0 for each in pair))
            cells += _pair(*(each.flash_bytes for each in pair))
            yield f"| {Path(model).stem} | {objective} | {' | '.join(cells)} |\n"


def _pair(before: int, after: int) -> tuple[str, str]:
    return f"{before:,}", f"{after:,} ({100 * (after - before) / before:+.1f} %)"


def main() -> None:
    """Measure, and put the table in its place."""
    if not os.environ.get("SMIDGEN_DATA"):
        sys.exit("set SMIDGEN_DATA to a folder with models")
    table = _HEAD + "".join(rows(Path(os.environ["SMIDGEN_DATA"], "models")))
    text = _PAGE.read_text()
    start, end = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    _PAGE.write_text(text[:start] + "\n" + table + "\n" + text[end:])


if __name__ == "__main__":
    main()
