"""A core that runs instructions as soon as their operands are there, in any order.

Its clocks for a block that runs over and over are bounded by three things, of which the largest
counts: how many instructions it takes in a clock, how long each unit is busy, and how long the
results of one round keep the next one waiting. Mispredicted jumps and cache misses are not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smidgen.emulate.linked.disassembly import Instruction

_ROUNDS = 4
"""Rounds of a block after which the waiting for earlier results is taken to be steady."""


@dataclass(frozen=True, slots=True)
class Use:
    """The units that an instruction keeps busy, in clocks, and when its result can be used.

    The registers in `sums` are needed `sum_latency` clocks before the result, all others `latency`;
    results in `quick` are there after one. It is taken in as so many `parts`.
    """

    units: Mapping[str, float]
    latency: int
    sums: frozenset[str] = frozenset()
    sum_latency: int = 1
    quick: frozenset[str] = frozenset()
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Engine:
    """A core: the parts of instructions that it takes in a clock, its units, their use."""

    width: int
    units: Mapping[str, int]
    use: Callable[[Instruction], Use]

    def clocks(self, block: Sequence[Instruction]) -> float:
        """The clocks of `block`, one of many rounds."""
        uses = [self.use(each) for each in block]
        busy: Counter[str] = Counter()
        for use in uses:
            busy.update(use.units)
        units = max((busy[name] / self.units.get(name, 1) for name in busy), default=0.0)
        parts = sum(use.parts for use in uses)
        return max(parts / self.width, units, self._waiting(block, uses))

    def _waiting(self, block: Sequence[Instruction], uses: Sequence[Use]) -> float:
        """Clocks from round to round on account of results alone."""
        ready: dict[str, int] = {}
        self._round(block, uses, ready)
        before = max(ready.values(), default=0)
        for _ in range(_ROUNDS):
            self._round(block, uses, ready)
        return (max(ready.values(), default=0) - before) / _ROUNDS

    @staticmethod
    def _round(block: Sequence[Instruction], uses: Sequence[Use], ready: dict[str, int]) -> None:
        for instruction, use in zip(block, uses, strict=True):
            operands = instruction.reads - use.sums
            start = max((ready.get(name, 0) for name in operands), default=0)
            sums = max((ready.get(name, 0) for name in use.sums), default=0)
            done = max(start + use.latency, sums + use.sum_latency if use.sums else 0)
            ready.update(dict.fromkeys(instruction.writes, done))
            ready.update(dict.fromkeys(instruction.writes & use.quick, start + 1))
