"""Builds from measured costs: the best under an objective, or the fastest in so much flash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.compiler.costs import shipped
from smidgen.compiler.objective import Objective, objective_called
from smidgen.compiler.selection import FLASH_BUDGET
from smidgen.core.errors import DoesNotFit
from smidgen.emulate.device import Device, model_program
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.emulate.samples import draw_random_input
from smidgen.graph.graph import Graph
from smidgen.search.tuning import ignore_rounds, tune
from smidgen.targets.ample import ample
from smidgen.targets.catalogue import Board

_TRIES = 8


def compile_tuned(
    graph: Graph,
    board: Board,
    name: str = "",
    objective: str = "balanced",
    flash_budget_bytes: int | None = None,
    progress: Callable[[int, int], None] = ignore_rounds,
    ram_budget_bytes: int | None = None,
) -> Artifact:
    """C for `graph`, its kernels chosen by what they take on the emulated core.

    With `flash_budget_bytes`, the fastest that was found whose code and constants take no more;
    `ram_budget_bytes` are as for `compile_graph`. Raises what `tune` and `compile_graph`
    raise, and DoesNotFit where no choice of kernels meets the budget.
    """
    bounded = flash_budget_bytes is not None
    known = tune(graph, board, objective, shipped(), progress, everything=bounded)
    make = partial(compile_graph, graph, board, name, objective, ram_budget_bytes, costs=known)
    if flash_budget_bytes is None:
        return _best([make(), make(costs={})], board, objective_called(objective))
    return _within(make, board, flash_budget_bytes)


def _best(builds: Sequence[Artifact], board: Board, objective: Objective) -> Artifact:
    """The build that `objective` favours as it stands, the first of equals.

    Layers were measured one by one; in a finished build the compiler knows who calls a function and
    with what, so that one which was quicker by itself may come out slower.
    """
    times = [_time(each, board) for each in builds]
    rate = objective.flash_share_per_kb * min(times) / 1024
    prices = [
        time + rate * linked_bytes(each, board) for time, each in zip(times, builds, strict=True)
    ]
    return builds[prices.index(min(prices))]


def _time(artifact: Artifact, board: Board) -> int:
    """Modelled cycles (instructions where there is no model) of a random input, without waits."""
    device = Device(artifact, ample(board))
    device.run(draw_random_input([port.type for port in artifact.manifest.inputs]))
    counts = device.take_counts()
    return counts.instructions if counts.modelled_cycles is None else counts.modelled_cycles


def _within(make: Callable[..., Artifact], board: Board, budget: int) -> Artifact:
    """Compiles and links with less and less for the layers, until all that is linked fits."""
    for_layers = budget
    try:
        for _ in range(_TRIES):
            artifact = make(flash_bytes=for_layers)
            excess = linked_bytes(artifact, board) - budget
            if excess <= 0:
                return artifact
            for_layers -= excess
    except DoesNotFit as problem:
        if problem.thing != FLASH_BUDGET:
            raise
        raise _too_small(budget, problem.why) from None
    raise _too_small(budget, f"no build below {budget + excess} B was found")


def _too_small(budget: int, why: str) -> DoesNotFit:
    return DoesNotFit(
        f"flash budget of {budget} B", why, "raise the budget, or use a smaller model"
    )


def linked_bytes(artifact: Artifact, board: Board) -> int:
    """Code and constants of the linked build, in bytes."""
    return read_firmware(model_program(artifact).link(ample(board))).sizes.flash_bytes
