"""The arena plan as a problem of offsets and least distances.

Two buffers that meet lie one above the other, with a least distance between their offsets: the
size of the lower one, or less where an `Allowance` lets them overlap. All numbers are in units of
the alignment, so that every whole number is a legal offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from smidgen.compiler.memory.buffers import Allowance, Buffer

Gaps = tuple[Mapping[int, int], ...]
"""For each buffer a, the least offset(b) - offset(a) that puts b above it, for each b it meets."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Buffers by index, with their sizes, first and last steps, and gaps.

    A pair may lie either way round. It has no entry where it constrains nothing. A gap is negative
    where the allowance lets b start below a although b counts as the upper one.
    """

    sizes: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    gaps: Gaps

    def cliques(self) -> list[tuple[int, ...]]:
        """The buffers alive at each step, without steps whose buffers are all alive at another."""
        alive = [
            tuple(i for i, (first, last) in enumerate(self.spans) if first <= step <= last)
            for step in sorted({first for first, _ in self.spans})
        ]
        sets = [frozenset(clique) for clique in alive]
        return [
            clique
            for index, clique in enumerate(alive)
            if not any(sets[index] < other for other in sets) and sets[index] not in sets[:index]
        ]

    def part(self, chosen: Sequence[int]) -> Problem:
        """The problem of the buffers `chosen` alone, renumbered in that order."""
        position = {index: at for at, index in enumerate(chosen)}
        gaps = tuple(
            {position[b]: gap for b, gap in self.gaps[a].items() if b in position} for a in chosen
        )
        return Problem(
            tuple(self.sizes[i] for i in chosen), tuple(self.spans[i] for i in chosen), gaps
        )

    def restricted(self) -> Problem:
        """The same without negative gaps: each of its plans is a plan of this."""
        return self._with_gaps(lambda forth, _: max(forth, 0))

    def relaxed(self) -> Problem:
        """The same without negative gaps: it needs no more than this.

        Where a may lie above b although b counts as the upper one, no distance is asked for.
        """
        return self._with_gaps(lambda forth, back: 0 if back < 0 else max(forth, 0))

    @property
    def has_negative_gaps(self) -> bool:
        """Whether some buffer may start below another and still count as the upper one."""
        return any(gap < 0 for row in self.gaps for gap in row.values())

    def extent(self, offsets: Sequence[int]) -> int:
        """The end of the highest buffer."""
        return max((at + size for at, size in zip(offsets, self.sizes, strict=True)), default=0)

    def _with_gaps(self, change: Callable[[int, int], int]) -> Problem:
        gaps = tuple(
            {b: change(gap, self.gaps[b][a]) for b, gap in row.items()}
            for a, row in enumerate(self.gaps)
        )
        return Problem(self.sizes, self.spans, gaps)


def make_problem(
    buffers: Sequence[Buffer], allowances: Iterable[Allowance], alignment: int
) -> Problem:
    """The problem of `buffers`, in units of `alignment` bytes."""
    rules = {(rule.target, rule.source): rule for rule in allowances}
    gaps: tuple[dict[int, int], ...] = tuple({} for _ in buffers)
    for i, a in enumerate(buffers):
        for j in range(i):
            b = buffers[j]
            if a.nbytes and b.nbytes and a.meets(b):
                low, high = _distances(a, b, rules)
                if low < high:
                    gaps[i][j] = -(low // alignment)
                    gaps[j][i] = -(-high // alignment)
    sizes = tuple(-(-buffer.nbytes // alignment) for buffer in buffers)
    return Problem(sizes, tuple((buffer.first, buffer.last) for buffer in buffers), gaps)


def _distances(a: Buffer, b: Buffer, rules: Mapping[tuple[str, str], Allowance]) -> tuple[int, int]:
    """(low, high): offset(a) - offset(b) must be <= low or >= high."""
    low, high = -a.nbytes, b.nbytes
    rule = rules.get((a.name, b.name))
    if rule is not None:
        low = low if rule.ahead is None else max(low, rule.ahead)
        high = high if rule.behind is None else min(high, rule.behind)
    rule = rules.get((b.name, a.name))
    if rule is not None:
        low = low if rule.behind is None else max(low, -rule.behind)
        high = high if rule.ahead is None else min(high, -rule.ahead)
    return low, high
