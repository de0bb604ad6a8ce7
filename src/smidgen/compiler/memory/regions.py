"""Buffers over several memories, for a model that no single one of the board can hold.

Every buffer starts in the fastest memory. As long as one is too full, a buffer of its fullest step
goes to a slower one. Which, is searched for: ways are followed in the order of what they cost, the
bytes that a run accesses in what was moved times the wait states that they wait there, and of what
has yet to move. What the caller writes and reads stays in the main memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import permutations

from smidgen.compiler.memory.buffers import Allowance, Buffer, MemoryPlan
from smidgen.compiler.memory.greedy import quick_plan
from smidgen.compiler.memory.joining import join
from smidgen.compiler.memory.planner import plan_memory
from smidgen.compiler.memory.problem import make_problem
from smidgen.compiler.memory.storage import Schedule, Storage, scratch_name
from smidgen.graph.graph import Graph

_MOST_STEPS = 400
"""How many ways to distribute the buffers are looked at."""
_ACCESSES_AHEAD = (2, 8, 32)
"""How often a byte that has yet to move is thought to be accessed. At first as often as most are;
where that leads nowhere, more often, so that ways that are nearly done are followed first."""
_TIE = 1 / 1024
"""Wait states that are counted where there is no difference, so that fuller ways come later."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a memory has for an arena; `is_main` for the one where the board's data go."""

    name: str
    nbytes: int
    wait_states: int
    is_main: bool


@dataclass(frozen=True, slots=True)
class Part:
    """The arena in one memory: its name, and the plan of the buffers that are in it."""

    room: Room
    plan: MemoryPlan


@dataclass(frozen=True, slots=True)
class Demand:
    """The buffers of a program, with what a run accesses in each, in bytes.

    Those `pinned` stay in the main memory.
    """

    buffers: Sequence[Buffer]
    allowances: Sequence[Allowance]
    accessed_bytes: Mapping[str, int]
    pinned: frozenset[str]
    alignment: int

    def plan(self, names: Iterable[str]) -> MemoryPlan:
        """The best plan that is found for the buffers `names` alone."""
        buffers, rules = self._among(names)
        return plan_memory(buffers, rules, self.alignment)

    def quick_plan(self, names: Iterable[str]) -> tuple[list[Buffer], list[int]]:
        """The buffers `names` and their offsets, in a plan that is quick to find."""
        buffers, rules = self._among(names)
        problem = make_problem(buffers, rules, self.alignment)
        joined = join(problem, problem.joins)
        offsets = joined.spread(quick_plan(joined.problem, 0))
        return buffers, [at * self.alignment for at in offsets]

    def _among(self, names: Iterable[str]) -> tuple[list[Buffer], list[Allowance]]:
        chosen = set(names)
        buffers = [each for each in self.buffers if each.name in chosen]
        return buffers, [a for a in self.allowances if {a.target, a.source} <= chosen]


def accessed_bytes(schedule: Schedule, storage: Storage, graph: Graph) -> dict[str, int]:
    """What a run accesses in each buffer: each step goes once through its operands.

    Scratch memory is accessed as often as what the step reads and writes through it is long.
    """
    found: dict[str, int] = {}
    for node, call in schedule:
        names = [name for name in (*node.inputs, *node.outputs) if name in storage.places]
        sizes = [graph.tensors[name].nbytes for name in names]
        buffers = [storage.places[name].buffer for name in names]
        if call.scratch_bytes:
            buffers, sizes = [*buffers, scratch_name(node)], [*sizes, sum(sizes)]
        for buffer, size in zip(buffers, sizes, strict=True):
            found[buffer] = found.get(buffer, 0) + size
    return found


def spread(demand: Demand, rooms: Sequence[Room]) -> tuple[Part, ...] | None:
    """The arenas in `rooms`, the main one first; None where no way was found to hold them."""
    orders = (sorted(each, key=lambda room: room.wait_states) for each in permutations(rooms))
    tried = (_spread(demand, order) for order in dict.fromkeys(map(tuple, orders)))
    return next((parts for parts in tried if parts is not None), None)


def _spread(demand: Demand, order: Sequence[Room]) -> tuple[Part, ...] | None:
    """As `spread`, where buffers move from each room to later ones only."""
    fills = _Fills(demand, order)
    ways = (_distribute(fills, accesses) for accesses in _ACCESSES_AHEAD)
    held = next((way for way in ways if way is not None), None)
    if held is None:
        return None
    parts = [Part(room, demand.plan(names)) for room, names in zip(order, held, strict=True)]
    if any(part.plan.arena_bytes > part.room.nbytes for part in parts):
        return None
    used = [part for part in parts if part.plan.offsets or part.room.is_main]
    return tuple(sorted(used, key=lambda part: not part.room.is_main))


Held = tuple[frozenset[str], ...]
"""The names of the buffers in each room."""


def _distribute(fills: _Fills, accesses: int) -> Held | None:
    """The cheapest way found to put every buffer into a room that holds it."""
    demand, order = fills.demand, fills.order
    main = next(index for index, room in enumerate(order) if room.is_main)
    at = {each.name: main if each.name in demand.pinned else 0 for each in demand.buffers}
    start = tuple(
        frozenset(name for name, room in at.items() if room == index) for index in range(len(order))
    )
    queue, seen = [(0.0, 0, 0, start)], {start}
    for _ in range(_MOST_STEPS):
        if not queue:
            return None
        _, cost, _, held = heappop(queue)
        full = fills.first_too_full(held)
        if full is None:
            return held
        for name, target in fills.moves(held, full):
            moved = _moved(held, name, full, target)
            if moved not in seen:
                seen.add(moved)
                waits = order[target].wait_states - order[full].wait_states
                paid = cost + demand.accessed_bytes.get(name, 0) * waits
                heappush(queue, (paid + accesses * fills.ahead(moved), paid, len(seen), moved))
    return None


def _moved(held: Held, name: str, source: int, target: int) -> Held:
    changed = list(held)
    changed[source] -= {name}
    changed[target] |= {name}
    return tuple(changed)


@dataclass(slots=True)
class _Fills:
    """How full rooms are; the plan of each set of buffers is made once."""

    demand: Demand
    order: Sequence[Room]
    _known: dict[frozenset[str], tuple[int, list[str]]] = field(default_factory=dict)

    def first_too_full(self, held: Held) -> int | None:
        """The first room whose buffers do not fit."""
        return next((at for at in range(len(held)) if self._excess(held, at) > 0), None)

    def moves(self, held: Held, full: int) -> Iterator[tuple[str, int]]:
        """The buffers of the fullest step that may leave room `full`, and where to."""
        sizes = {each.name: each.nbytes for each in self.demand.buffers}
        for name in self._fill(held[full])[1]:
            for target in range(full + 1, len(held)):
                fits = sizes[name] <= self.order[target].nbytes
                if fits and name not in self.demand.pinned:
                    yield name, target

    def ahead(self, held: Held) -> float:
        """What accessing all that is too much once would cost; a little where nothing waits."""
        slowest = self.order[-1].wait_states
        return sum(
            max(self._excess(held, at), 0) * (slowest - room.wait_states + _TIE)
            for at, room in enumerate(self.order)
        )

    def _excess(self, held: Held, at: int) -> int:
        return self._fill(held[at])[0] - self.order[at].nbytes

    def _fill(self, names: frozenset[str]) -> tuple[int, list[str]]:
        """The bytes that `names` need, and those of them alive at the fullest step."""
        if names not in self._known:
            buffers, offsets = self.demand.quick_plan(names)
            ends = [at + each.nbytes for each, at in zip(buffers, offsets, strict=True)]
            top = max(ends, default=0)
            steps = (
                range(each.first, each.last + 1)
                for each, end in zip(buffers, ends, strict=True)
                if end == top
            )
            alive = [
                [each for each in buffers if each.first <= step <= each.last]
                for step in sorted({step for span in steps for step in span})
            ]
            fullest = max(alive, key=lambda those: sum(e.nbytes for e in those), default=[])
            self._known[names] = top, [each.name for each in fullest]
        return self._known[names]
