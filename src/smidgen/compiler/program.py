"""From an optimised graph to a program: a kernel for each node, and a place for each tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smidgen.compiler.artifact import ArenaPart
from smidgen.compiler.bands.call import BandedCall
from smidgen.compiler.bands.kernels import BandKernels
from smidgen.compiler.choice import Choice, Wanted, choose
from smidgen.compiler.memory.buffers import Buffer
from smidgen.compiler.memory.offers import take_offers
from smidgen.compiler.memory.planner import MemoryPlan, plan_memory
from smidgen.compiler.memory.regions import Room
from smidgen.compiler.memory.storage import Schedule, Storage, assign_storage, scratch_name
from smidgen.compiler.objective import Objective
from smidgen.compiler.rooms import in_rooms
from smidgen.compiler.sharing import Style, styles
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall
from smidgen.targets.catalogue import Core


@dataclass(frozen=True, slots=True)
class Step:
    """One node, the call that runs it, and where its scratch memory lies (None without any)."""

    node: Node
    call: KernelCall
    scratch_offset: int | None
    style: Style = Style.OWN


@dataclass(frozen=True, slots=True)
class Program:
    """What the C writer needs: steps in order, and the arena offset of every tensor.

    `buffers` are what the arena holds, views merged, each with its offset; they live from step to
    step, where -1 is before the run and the number of steps is after it.
    """

    graph: Graph
    steps: tuple[Step, ...]
    offsets: Mapping[str, int]
    buffers: tuple[tuple[Buffer, int], ...]
    arena_bytes: int
    lower_bound_bytes: int
    arenas: tuple[ArenaPart, ...] = ()
    """Where the arena lies in several memories; empty for one."""


def build_program(
    graph: Graph,
    core: Core,
    wanted: Wanted | None = None,
    band_kernels: BandKernels | None = None,
    rooms: Sequence[Room] = (),
) -> Program:
    """Choose kernels, merge views, plan the arena; raises UnsupportedOp where no kernel serves.

    `band_kernels` may remember what other programs of the same layers found. Where the arena is too
    large for the main one of several `rooms`, it lies in several, if they can hold it.
    """
    wanted = wanted or Wanted()
    kernels = band_kernels or BandKernels(core, wanted.objective)
    return place_program(graph, choose(graph, kernels, wanted), core, wanted.objective, rooms)


def place_program(
    graph: Graph,
    choices: Sequence[Choice],
    core: Core,
    objective: Objective,
    rooms: Sequence[Room] = (),
) -> Program:
    """Merge views and plan the arena for one choice a node."""
    given = [(node, each.call) for node, each in zip(graph.nodes, choices, strict=True)]
    by_name = {node.name: each for node, each in zip(graph.nodes, choices, strict=True)}
    schedule, storage, plan = _with_frugal_calls(graph, given, core)
    plan, arenas = in_rooms(graph, schedule, storage, plan, rooms, core.arena_alignment_bytes)
    style = _styles(schedule, by_name, objective)
    steps = tuple(
        Step(
            node,
            call.styled(style) if isinstance(call, BandedCall) else call,
            plan.offsets.get(scratch_name(node)),
            style.get(node.name, Style.OWN),
        )
        for node, call in schedule
    )
    return Program(
        graph,
        steps,
        _tensor_offsets(storage, plan),
        tuple((buffer, plan.offsets[buffer.name]) for buffer in storage.buffers),
        plan.arena_bytes,
        plan.lower_bound_bytes,
        arenas,
    )


def _styles(
    schedule: Schedule, choices: Mapping[str, Choice], objective: Objective
) -> Mapping[str, Style]:
    """How each call runs its kernel, as chosen or by rule; calls within loops count as others."""
    uses: list[tuple[Node, KernelCall]] = []
    taken: dict[str, float] = {}
    for node, call in schedule:
        inner = call.uses() if isinstance(call, BandedCall) else [(node, call)]
        uses += inner
        taken |= {each.name: choices[node.name].time / len(inner) for each, _ in inner}
    chosen = {name: each.style for name, each in choices.items() if each.style is not None}
    return {**styles(uses, taken, objective), **chosen}


def _with_frugal_calls(
    graph: Graph, given: Schedule, core: Core
) -> tuple[Schedule, Storage, MemoryPlan]:
    """The least arena, with frugal calls for the layers that have to give way for it.

    All of them give way at first, if that helps; then each one that need not is quick again.
    """
    quick = _laid_out(graph, given, core)
    chosen = [(node, call.frugal or call) for node, call in given]
    best = _laid_out(graph, chosen, core)
    if best[2].arena_bytes >= quick[2].arena_bytes:
        return quick
    for index, (node, call) in enumerate(given):
        if call.frugal is not None:
            tried = [*chosen[:index], (node, call), *chosen[index + 1 :]]
            laid_out = _laid_out(graph, tried, core)
            if laid_out[2].arena_bytes <= best[2].arena_bytes:
                chosen, best = tried, laid_out
    return best


def _laid_out(graph: Graph, given: Schedule, core: Core) -> tuple[Schedule, Storage, MemoryPlan]:
    """The schedule with the offers of its kernels taken, unless it needs less memory without."""
    plain = _planned(graph, given, core)
    if not any(call.offers for _, call in given):
        return plain
    joined = _planned(graph, take_offers(graph, given), core)
    return min(joined, plain, key=lambda result: result[2].arena_bytes)


def _planned(graph: Graph, schedule: Schedule, core: Core) -> tuple[Schedule, Storage, MemoryPlan]:
    storage = assign_storage(graph, schedule)
    plan = plan_memory(storage.buffers, storage.allowances, core.arena_alignment_bytes)
    return schedule, storage, plan


def _tensor_offsets(storage: Storage, plan: MemoryPlan) -> dict[str, int]:
    return {
        name: plan.offsets[place.buffer] + place.offset
        for name, place in storage.places.items()
        if place.buffer in plan.offsets
    }
