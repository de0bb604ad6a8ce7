"""An in-order core that starts up to `width` instructions a clock and waits for results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from smidgen.emulate.linked.disassembly import Instruction

_NOTHING: frozenset[str] = frozenset()
_LONG_AGO = -8
"""When registers were ready that nothing in the block has written."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What an instruction needs of the core.

    `units` are those that it takes, one of a kind for each time that it is named, and one of those
    in `one_of`; they are free again a clock later, or after the clocks in `holds`. Its result can
    be used `latency` clocks after it started, but registers in `latencies` have their own;
    `stored_after` is the latency where the result is what a vector store stores. It keeps all
    others from starting for `blocks` clocks. It starts as the `first` or the `last` of those that
    start together, or both: alone. Registers in `needed` must be ready so many clocks after it
    started, or before it for negative ones; those in `stores` are what it stores of vectors.

    Where it can be executed in several stages, it is in the first in which its operands are there:
    `slides` are the clocks by which that may shift what it needs and gives. Registers in `floors`
    can be used no sooner than so many clocks after it started. What is `folded` takes no time.
    """

    units: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    holds: Mapping[str, int] = field(default_factory=dict)
    latency: int = 1
    latencies: Mapping[str, int] = field(default_factory=dict)
    stored_after: int | None = None
    blocks: int = 0
    first: bool = False
    last: bool = False
    needed: Mapping[str, int] = field(default_factory=dict)
    stores: frozenset[str] = _NOTHING
    slides: tuple[int, int] = (0, 0)
    floors: Mapping[str, int] = field(default_factory=dict)
    folded: bool = False

    def latency_of(self, register: str) -> int:
        """When `register`, which it writes, can be used."""
        return self.latencies.get(register, self.latency)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A core: the instructions that it starts in a clock, and how many it has of a unit (or 1)."""

    width: int
    demand: Callable[[Instruction], Demand]
    units: Mapping[str, int] = field(default_factory=dict)


def after(clocks: int, registers: Iterable[str]) -> dict[str, int]:
    """`registers` as needed so many clocks after the start."""
    return dict.fromkeys(registers, clocks)


def straight_clocks(block: Sequence[Instruction], pipeline: Pipeline) -> int:
    """The clocks from the start of the first instruction until after the start of the last.

    Results that are still on their way at the end are left to the next block.
    """
    return Scoreboard(pipeline).clocks_of(block)


@dataclass(slots=True)
class Scoreboard:
    """A core at one moment: the instructions that started in this clock, and when results come."""

    pipeline: Pipeline
    clock: int = 0
    started: int = 0
    is_full: bool = False
    taken: Counter[str] = field(default_factory=Counter)
    ready: dict[str, int] = field(default_factory=dict)
    storable: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def clocks_of(self, block: Sequence[Instruction]) -> int:
        """The clocks until after the start of the last instruction of `block`."""
        for instruction in block:
            self._start(instruction, self.pipeline.demand(instruction))
        return self.clock + (self.started > 0)

    def earliest(self, instruction: Instruction, need: Demand) -> int:
        """The first clock in which operands and units are ready."""
        operands = self._operands(instruction, need) - need.slides[1]
        return max([operands, *(self.held.get(unit, 0) for unit in need.units)])

    def _start(self, instruction: Instruction, need: Demand) -> None:
        if need.folded:
            return
        if need.one_of:
            chosen = min(need.one_of, key=lambda unit: self.held.get(unit, 0))
            clocks = need.holds.get(chosen, 1)
            need = replace(need, one_of=(), units=(*need.units, chosen), holds={chosen: clocks})
        earliest = self.earliest(instruction, need)
        if earliest > self.clock or not self._has_room(need):
            self._advance(max(self.clock + (self.started > 0), earliest))
        self.started += 1
        self.is_full = need.last or self.started == self.pipeline.width
        self.taken.update(need.units)
        self.held.update((unit, self.clock + clocks) for unit, clocks in need.holds.items())
        self._note_results(instruction, need)
        if need.blocks:
            self._advance(self.clock + need.blocks)

    def _operands(self, instruction: Instruction, need: Demand) -> int:
        """When all operands are there, for an instruction that does not slide."""
        return max((self._ready(name, need) for name in instruction.reads), default=_LONG_AGO)

    def _ready(self, name: str, need: Demand) -> int:
        ready = self.storable if name in need.stores and name in self.storable else self.ready
        return ready[name] - need.needed.get(name, 0) if name in ready else _LONG_AGO

    def _note_results(self, instruction: Instruction, need: Demand) -> None:
        first, last = need.slides
        slide = min(max(self._operands(instruction, need) - self.clock, first), last)
        for name in instruction.writes:
            clocks = slide + need.latency_of(name)
            self.ready[name] = self.clock + max(clocks, need.floors.get(name, clocks))
            self.storable.pop(name, None)
            if need.stored_after is not None:
                self.storable[name] = self.clock + need.stored_after

    def _has_room(self, need: Demand) -> bool:
        if self.is_full or (self.started and need.first):
            return False
        wanted, has = Counter(need.units), self.pipeline.units
        return all(self.taken[unit] + wanted[unit] <= has.get(unit, 1) for unit in wanted)

    def _advance(self, clock: int) -> None:
        self.clock, self.started, self.is_full = clock, 0, False
        self.taken.clear()
