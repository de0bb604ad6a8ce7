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
    joins: tuple[tuple[int, int], ...] = ()
    """Pairs that may also share one offset, whatever their gaps say."""
    bases: tuple[int, ...] = ()
    """The lowest offset of each buffer, where that is not 0 for all."""

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

    def pillars(self) -> list[int]:
        """The buffers that share no byte with any other: what the rest needs comes on top of them.

        Taking such a buffer out of a plan lets all that lies above it move down by its size.
        """
        others = sum(1 for size in self.sizes if size) - 1
        joinable = {index for pair in self.joins for index in pair}
        return [
            index
            for index, row in enumerate(self.gaps)
            if self.sizes[index]
            and index not in joinable
            and len(row) == others
            and all(
                gap == self.sizes[index] and self.gaps[other][index] == self.sizes[other]
                for other, gap in row.items()
            )
        ]

    def part(self, chosen: Sequence[int]) -> Problem:
        """The problem of the buffers `chosen` alone, renumbered in that order."""
        position = {index: at for at, index in enumerate(chosen)}
        gaps = tuple(
            {position[b]: gap for b, gap in self.gaps[a].items() if b in position} for a in chosen
        )
        joins = tuple(
            (position[a], position[b]) for a, b in self.joins if a in position and b in position
        )
        sizes = tuple(self.sizes[i] for i in chosen)
        return Problem(sizes, tuple(self.spans[i] for i in chosen), gaps, joins)

    def unjoined(self) -> Problem:
        """The same where pairs that may share an offset keep any distance: it needs no more."""
        gaps = tuple(dict(row) for row in self.gaps)
        for a, b in self.joins:
            gaps[a][b] = min(gaps[a][b], 0)
            gaps[b][a] = min(gaps[b][a], 0)
        return Problem(self.sizes, self.spans, gaps)

    def restricted(self) -> Problem:
        """The same without negative gaps: each of its plans is a plan of this."""
        return self._with_gaps(lambda forth, _: max(forth, 0))

    def relaxed(self) -> Problem:
        """The same without negative gaps: it needs no more than this.

        Where a may lie above b although b counts as the upper one, no distance is asked for.
        """
        return self._with_gaps(lambda forth, back: 0 if back < 0 else max(forth, 0))

    def extent(self, offsets: Sequence[int]) -> int:
        """The end of the highest buffer."""
        return max((at + size for at, size in zip(offsets, self.sizes, strict=True)), default=0)

    def _with_gaps(self, change: Callable[[int, int], int]) -> Problem:
        gaps = tuple(
            {b: change(gap, self.gaps[b][a]) for b, gap in row.items()}
            for a, row in enumerate(self.gaps)
        )
        return Problem(self.sizes, self.spans, gaps, self.joins)


def make_problem(
    buffers: Sequence[Buffer], allowances: Iterable[Allowance], alignment: int
) -> Problem:
    """The problem of `buffers`, in units of `alignment` bytes."""
    rules = {(rule.target, rule.source): rule for rule in allowances}
    gaps: tuple[dict[int, int], ...] = tuple({} for _ in buffers)
    joins: list[tuple[int, int]] = []
    for i, a in enumerate(buffers):
        for j in range(i):
            b = buffers[j]
            if a.nbytes and b.nbytes and a.meets(b):
                low, high = _distances(a, b, rules)
                if low < high:
                    gaps[i][j] = -(low // alignment)
                    gaps[j][i] = -(-high // alignment)
                    if low < 0 < high and _in_place(a, b, rules):
                        joins.append((j, i))
    sizes = tuple(-(-buffer.nbytes // alignment) for buffer in buffers)
    spans = tuple((buffer.first, buffer.last) for buffer in buffers)
    return Problem(sizes, spans, gaps, tuple(joins))


def _in_place(a: Buffer, b: Buffer, rules: Mapping[tuple[str, str], Allowance]) -> bool:
    pair = (rules.get((a.name, b.name)), rules.get((b.name, a.name)))
    return any(rule is not None and rule.in_place for rule in pair)


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
