"""Measures on the emulated core what kernels take for the layers of a model.

The whole model runs in rounds: in each, every layer runs in another of the ways in which it might
run, on what the layers before it made of a random input, and its instructions are counted apart.
Layers that are alike are measured once. Functions that layers may share are compiled so that the
compiler cannot take what one layer hands them for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.choice import Choice, Way, ways
from smidgen.compiler.compile import write_artifact
from smidgen.compiler.costs import CostTable, Measured, Run, parse, support_functions, write
from smidgen.compiler.objective import Objective, objective_called
from smidgen.compiler.pipeline import optimise
from smidgen.compiler.program import place_program
from smidgen.compiler.sharing import Style
from smidgen.core.errors import InputError
from smidgen.emulate.device import Device
from smidgen.emulate.samples import draw_random_input
from smidgen.emulate.timing.cycles import RegionCounts
from smidgen.emulate.timing.models import models_identity
from smidgen.graph.graph import Graph
from smidgen.targets.ample import ample
from smidgen.targets.cache import cache_dir, fingerprint, store
from smidgen.targets.catalogue import Board
from smidgen.targets.toolchain import identity

_NAME = "tuned"
_LOOSE = "#define SMG_SHARED SMG_NOINLINE\n"
"""Shared functions that anybody might call: no parameter is known when they are compiled."""
_TOOLS_LETTERS = 12


@dataclass(frozen=True, slots=True)
class _Task:
    """One way to run one node, in one style."""

    node: str
    way: Way
    style: Style


@dataclass(frozen=True, slots=True)
class _Found:
    """What a task measured: the run, and the functions that the kernel may have called."""

    run: Run
    support: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Model:
    """The model that runs in rounds, and the ways of each node by name."""

    graph: Graph
    board: Board
    objective: Objective
    ways: Mapping[str, Sequence[Way]]

    @staticmethod
    def of(graph: Graph, board: Board, objective: Objective, everything: bool) -> _Model:
        """`graph` after the compiler's rewrites, with all that competes for its layers."""
        lowered = optimise(graph)
        wide = replace(objective, buys_speed=True) if everything else objective
        able = {node.name: ways(lowered, node, board.core, wide) for node in lowered.nodes}
        return _Model(lowered, board, objective, able)

    @property
    def keys(self) -> list[str]:
        """What the ways that run any code are filed under."""
        return sorted({way.key for each in self.ways.values() for way in each if _runs(way)})


def ignore_rounds(done: int, rounds: int) -> None:
    """Progress for nobody."""
    del done, rounds


def tune(
    graph: Graph,
    board: Board,
    objective: str = "balanced",
    known: CostTable | None = None,
    progress: Callable[[int, int], None] = ignore_rounds,
    everything: bool = False,
) -> CostTable:
    """`known`, with all that competes for the layers of `graph` measured.

    What was measured before is taken from the user's cache. `everything` measures kernels that are
    for "speed" alone as well. `progress` is told how many rounds of how many are done. Raises
    EmulationError for a core that is not emulated.
    """
    model = _Model.of(graph, board, objective_called(objective), everything)
    table = {**(known or {})}
    missing = [key for key in model.keys if key not in table]
    table.update({key: found for key in missing if (found := _remembered(key))})
    measured: dict[tuple[str, Style], _Found] = {}
    rounds = list(_rounds(model, set(table)))
    for done, tasks in enumerate(rounds):
        progress(done, len(rounds))
        measured.update(_run(model, tasks))
    for key in sorted({key for key, _ in measured}):
        if any((key, style) not in measured for style in Style):
            continue
        table[key] = _entry([measured[key, style] for style in Style])
        store(_place(key), write({key: table[key]}).encode())
    return table


def _runs(way: Way) -> bool:
    return not way.call.is_free


def _rounds(model: _Model, known: set[str]) -> Iterator[list[_Task]]:
    """Tasks that can run at once: at most one a node, each way of a layer at one node only."""
    taken, tasks = set(known), []
    for node, each in model.ways.items():
        new = [way for way in each if _runs(way) and way.key not in taken]
        taken |= {way.key for way in new}
        tasks.append([_Task(node, way, style) for way in new for style in Style])
    for together in zip_longest(*tasks):
        found = [task for task in together if task]
        if found:
            yield found


def _run(model: _Model, tasks: Sequence[_Task]) -> dict[tuple[str, Style], _Found]:
    """The findings of one round."""
    board = model.board
    program = place_program(model.graph, _choices(model, tasks), board.core, model.objective)
    artifact = write_artifact(model.graph, program, board, _NAME)
    device = Device(_loosened(artifact, model.objective), ample(board))
    device.run(draw_random_input([port.type for port in artifact.manifest.inputs]))
    counts = {region.name: region for region in device.take_counts().layers}
    sizes = {name: symbol.bytes for name, symbol in device.machine.firmware.symbols.items()}
    ran = [step.node.name for step in program.steps if not step.call.is_free]
    symbols = {
        node: layer.symbol for node, layer in zip(ran, artifact.manifest.layers, strict=True)
    }
    return {
        (task.way.key, task.style): _found(task, symbols[task.node], counts, sizes)
        for task in tasks
        if task.node in symbols  # else its work is done by where its tensors lie
    }


def _choices(model: _Model, tasks: Sequence[_Task]) -> list[Choice]:
    """What each node runs in a round: its task, or what it would run anyway.

    Calls that need less memory are out of the question: what was asked for is measured.
    """
    by_node = {task.node: task for task in tasks}
    choices = []
    for node in model.graph.nodes:
        task = by_node.get(node.name)
        call = (task.way if task else model.ways[node.name][0]).call
        style = task.style if task else Style.SHARED
        choices.append(Choice(replace(call, frugal=None), 0.0, style))
    return choices


def _loosened(artifact: Artifact, objective: Objective) -> Artifact:
    """`artifact`, compiled as `objective` says, with shared functions that anybody may call."""
    source = f"{artifact.manifest.prefix}.c"
    files = {**artifact.files, source: _LOOSE + artifact.files[source]}
    flags = (*artifact.manifest.compile_flags[:-1], objective.compiler_flag)
    return Artifact(replace(artifact.manifest, compile_flags=flags), files)


def _found(
    task: _Task, symbol: str, counts: Mapping[str, RegionCounts], sizes: Mapping[str, int]
) -> _Found:
    call, region = task.way.call, counts[symbol]
    shared = 0
    if task.style is not Style.OWN:
        shared = sizes[f"{_NAME}_{task.style.value}_{call.function.removeprefix('smg_')}"]
    support = sorted(support_functions(call.header) & set(sizes))
    # The compiler drops the parameters of a layer where all of them went into its code.
    params = sizes.get(symbol.replace(f"{_NAME}_run_", f"{_NAME}_", 1), 0)
    return _Found(
        Run(region.instructions, region.modelled_cycles, sizes[symbol] + params, shared),
        {name: sizes[name] for name in support},
    )


def _entry(found: Sequence[_Found]) -> Measured:
    """One kernel in every style; a support function has one size in all of them."""
    runs = {style: each.run for style, each in zip(Style, found, strict=True)}
    return Measured(runs, found[0].support)


def _place(key: str) -> Path:
    """Where the user's cache keeps a measurement made with this compiler and these cycle models."""
    tools = fingerprint(identity(), models_identity())[:_TOOLS_LETTERS]
    return cache_dir() / "tuning" / tools / f"{key}.tsv"


def _remembered(key: str) -> Measured | None:
    """What the user's cache has for `key`; damaged entries are as good as none."""
    try:
        return parse(_place(key).read_text(encoding="utf-8")).get(key)
    except (OSError, UnicodeDecodeError, InputError):
        return None
