"""The memories of a board as rooms for the arena, and a plan that is spread over them."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.compiler.artifact import ARENA_PART_ALIGNMENT, ArenaPart
from smidgen.compiler.memory.buffers import MemoryPlan
from smidgen.compiler.memory.regions import Demand, Part, Room, accessed_bytes, spread
from smidgen.compiler.memory.storage import Schedule, Storage
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Board


def rooms_of(board: Board) -> tuple[Room, ...]:
    """What the memories of `board` have for an arena; the stack is in the first."""
    return tuple(
        Room(
            region.name,
            region.bytes - (0 if index else board.stack_bytes),
            region.wait_states,
            is_main=not index,
        )
        for index, region in enumerate(board.ram)
    )


def in_rooms(
    graph: Graph,
    schedule: Schedule,
    storage: Storage,
    plan: MemoryPlan,
    rooms: Sequence[Room],
    alignment: int,
) -> tuple[MemoryPlan, tuple[ArenaPart, ...]]:
    """`plan`, or one over several rooms where the main one is too small and they are not.

    Offsets go on from one room to the next; without several there are no parts.
    """
    main = next((room for room in rooms if room.is_main), None)
    if main is None or len(rooms) < 2 or plan.arena_bytes <= main.nbytes:
        return plan, ()
    ports = (*graph.inputs, *graph.outputs)
    pinned = frozenset(storage.places[name].buffer for name in ports if name in storage.places)
    accessed = accessed_bytes(schedule, storage, graph)
    demand = Demand(storage.buffers, storage.allowances, accessed, pinned, alignment)
    parts = spread(demand, rooms)
    return (plan, ()) if parts is None else _one_after_another(parts, plan.lower_bound_bytes)


def _one_after_another(
    parts: Sequence[Part], bound: int
) -> tuple[MemoryPlan, tuple[ArenaPart, ...]]:
    offsets: dict[str, int] = {}
    arenas, start = [], 0
    for part in parts:
        nbytes = part.plan.arena_bytes
        arenas.append(ArenaPart(part.room.name, start, nbytes))
        offsets |= {name: start + at for name, at in part.plan.offsets.items()}
        start += nbytes + -nbytes % ARENA_PART_ALIGNMENT
    return MemoryPlan(offsets, arenas[-1].start + arenas[-1].nbytes, bound), tuple(arenas)
