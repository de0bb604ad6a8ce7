"""The arena planner: offsets for buffers with lifetimes, so that the arena is as small as it can be.

Buffers whose lifetimes meet may not share bytes, except as an `Allowance` says. Greedy best-fit
over several orders; the smallest plan wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Buffer:
    """`nbytes` that hold a value from step `first` to step `last`, both included."""

    name: str
    nbytes: int
    first: int
    last: int

    def meets(self, other: Buffer) -> bool:
        """Whether both hold a value at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Allowance:
    """`target` may overlap `source` if offset(target) - offset(source) <= ahead or >= behind."""

    target: str
    source: str
    ahead: int | None
    behind: int | None


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The offset of each buffer, the arena that holds them, and the least any plan could need."""

    offsets: Mapping[str, int]
    arena_bytes: int
    lower_bound_bytes: int


def plan_memory(
    buffers: Sequence[Buffer], allowances: Sequence[Allowance], alignment: int
) -> MemoryPlan:
    """Offsets, multiples of `alignment`, under which no two live buffers clash."""
    rules = _Rules(allowances)
    plans = [_place_in_order(sorted(buffers, key=order), rules, alignment) for order in _ORDERS]
    offsets = min(plans, key=lambda plan: _extent(buffers, plan))
    arena_bytes = _round_up(_extent(buffers, offsets), alignment)
    return MemoryPlan(offsets, arena_bytes, _lower_bound(buffers, rules))


_ORDERS: tuple[Callable[[Buffer], tuple[int, ...]], ...] = (
    lambda buffer: (-buffer.nbytes, buffer.first),
    lambda buffer: (-(buffer.last - buffer.first), -buffer.nbytes),
    lambda buffer: (buffer.first, -buffer.nbytes),
    lambda buffer: (-buffer.last, -buffer.nbytes),
)


class _Rules:
    """Looks up allowances by pair."""

    def __init__(self, allowances: Sequence[Allowance]) -> None:
        self._by_pair = {(rule.target, rule.source): rule for rule in allowances}

    def between(self, a: Buffer, b: Buffer) -> tuple[int | None, int | None] | None:
        """(largest, smallest) legal offset(a) - offset(b) while they overlap; None: none is."""
        rule = self._by_pair.get((a.name, b.name))
        if rule is not None:
            return rule.ahead, rule.behind
        rule = self._by_pair.get((b.name, a.name))
        if rule is not None:
            return _negated(rule.behind), _negated(rule.ahead)
        return None

    def clash(self, a: Buffer, a_offset: int, b: Buffer, b_offset: int) -> bool:
        """Whether `a` and `b` at these offsets destroy each other."""
        apart = a_offset + a.nbytes <= b_offset or b_offset + b.nbytes <= a_offset
        if apart or not a.meets(b):
            return False
        legal = self.between(a, b)
        if legal is None:
            return True
        ahead, behind = legal
        distance = a_offset - b_offset
        return not (
            (ahead is not None and distance <= ahead) or (behind is not None and distance >= behind)
        )


def _negated(value: int | None) -> int | None:
    return None if value is None else -value


def _place_in_order(buffers: Sequence[Buffer], rules: _Rules, alignment: int) -> dict[str, int]:
    placed: list[tuple[Buffer, int]] = []
    for buffer in buffers:
        rivals = [(other, at) for other, at in placed if buffer.meets(other)]
        options = sorted(set(_candidates(buffer, rivals, rules, alignment)))
        chosen = next(
            at
            for at in options
            if not any(rules.clash(buffer, at, other, there) for other, there in rivals)
        )
        placed.append((buffer, chosen))
    return {buffer.name: at for buffer, at in placed}


def _candidates(
    buffer: Buffer, rivals: Sequence[tuple[Buffer, int]], rules: _Rules, alignment: int
) -> list[int]:
    """Offsets worth trying: the bottom, above each rival, and as far over it as is allowed."""
    found = [0]
    for other, at in rivals:
        found.append(_round_up(at + other.nbytes, alignment))
        ahead, behind = rules.between(buffer, other) or (None, None)
        if ahead is not None:
            found.append(max(0, (at + ahead) // alignment * alignment))
        if behind is not None:
            found.append(max(0, _round_up(at + behind, alignment)))
    return found


def _extent(buffers: Sequence[Buffer], offsets: Mapping[str, int]) -> int:
    return max((offsets[buffer.name] + buffer.nbytes for buffer in buffers), default=0)


def _lower_bound(buffers: Sequence[Buffer], rules: _Rules) -> int:
    """The most bytes that are alive at one step and may not overlap."""
    steps = sorted({buffer.first for buffer in buffers})
    return max(
        (_least_at([b for b in buffers if b.first <= s <= b.last], rules) for s in steps), default=0
    )


def _least_at(alive: Sequence[Buffer], rules: _Rules) -> int:
    """Bytes at one step: of two buffers that may overlap only the larger is counted."""
    total = 0
    absorbed: set[str] = set()
    for buffer in sorted(alive, key=lambda b: -b.nbytes):
        if buffer.name in absorbed:
            continue
        total += buffer.nbytes
        partner = next(
            (
                b
                for b in alive
                if b is not buffer and b.name not in absorbed and rules.between(buffer, b)
            ),
            None,
        )
        if partner is not None:
            absorbed.add(partner.name)
    return total


def _round_up(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment
