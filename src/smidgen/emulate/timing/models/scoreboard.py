"""An in-order core that starts up to `width` instructions a clock and waits for results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from smidgen.emulate.linked.disassembly import Instruction

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Demand:
    """What an instruction needs of the core.

    `units` are the units that it takes, for `holds` clocks. Its result can be used `latency` clocks
    after it started. It keeps all others from starting for `blocks` clocks. It starts `alone`, or
    only as the `first` of those that start together. Registers in `early` must be ready a clock
    before it starts, those in `late` a clock after; results in `quick` are there after one clock.
    """

    units: tuple[str, ...] = ()
    holds: int = 1
    latency: int = 1
    blocks: int = 0
    alone: bool = False
    first: bool = False
    early: frozenset[str] = _NOTHING
    late: frozenset[str] = _NOTHING
    quick: frozenset[str] = _NOTHING


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A core: the instructions that it starts in a clock, and how many it has of a unit (or 1)."""

    width: int
    demand: Callable[[Instruction], Demand]
    units: Mapping[str, int] = field(default_factory=dict)


def straight_clocks(block: Sequence[Instruction], pipeline: Pipeline) -> int:
    """The clocks from the start of the first instruction until after the start of the last.

    Results that are still on their way at the end are left to the next block.
    """
    state = _State(pipeline)
    for instruction in block:
        state.start(instruction)
    return state.clock + (state.started > 0)


@dataclass(slots=True)
class _State:
    pipeline: Pipeline
    clock: int = 0
    started: int = 0
    is_full: bool = False
    taken: Counter[str] = field(default_factory=Counter)
    ready: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def start(self, instruction: Instruction) -> None:
        need = self.pipeline.demand(instruction)
        operands = [self._ready(name, need) for name in instruction.reads]
        earliest = max([*operands, *(self.held.get(unit, 0) for unit in need.units)], default=0)
        if earliest > self.clock or not self._has_room(need):
            self._advance(max(self.clock + (self.started > 0), earliest))
        self.started += 1
        self.is_full = need.alone or self.started == self.pipeline.width
        self.taken.update(need.units)
        if need.holds > 1:
            self.held.update(dict.fromkeys(need.units, self.clock + need.holds))
        done = self.clock + need.latency
        self.ready.update(dict.fromkeys(instruction.writes, done))
        self.ready.update(dict.fromkeys(instruction.writes & need.quick, self.clock + 1))
        if need.blocks:
            self._advance(self.clock + need.blocks)

    def _ready(self, name: str, need: Demand) -> int:
        if name not in self.ready:
            return 0
        return self.ready[name] + (name in need.early) - (name in need.late)

    def _has_room(self, need: Demand) -> bool:
        if self.is_full or (self.started and (need.alone or need.first)):
            return False
        units = self.pipeline.units
        return all(self.taken[unit] < units.get(unit, 1) for unit in need.units)

    def _advance(self, clock: int) -> None:
        self.clock, self.started, self.is_full = clock, 0, False
        self.taken.clear()
