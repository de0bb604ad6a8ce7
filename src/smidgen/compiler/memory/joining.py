"""Buffers that share one offset: a group of them is placed as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smidgen.compiler.memory.problem import Problem

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Joined:
    """A problem whose buffers are groups of those of another, and the group of each of these."""

    problem: Problem
    groups: tuple[int, ...]

    def spread(self, offsets: Sequence[int]) -> list[int]:
        """The offset of each single buffer."""
        return [offsets[group] for group in self.groups]


def join(problem: Problem, pairs: Iterable[Pair]) -> Joined:
    """`problem` with the buffers of each pair at one offset, as far as the others allow it.

    Buffers may share an offset if no rule sets them apart, or if they are one of the `pairs`
    themselves. A pair that would bring others together is left out; those that save most go first.
    """
    sizes = problem.sizes
    wanted = sorted(pairs, key=lambda pair: (-min(sizes[pair[0]], sizes[pair[1]]), pair))
    together = set(wanted) | {(b, a) for a, b in wanted}
    members = {index: [index] for index in range(len(sizes))}
    group = list(range(len(sizes)))
    for a, b in wanted:
        first, second = sorted((group[a], group[b]))
        if first != second and _agree(problem, members[first], members[second], together):
            members[first] += members.pop(second)
            for index in members[first]:
                group[index] = first
    number = {leader: at for at, leader in enumerate(members)}
    groups = tuple(number[leader] for leader in group)
    return Joined(_contracted(problem, list(members.values()), groups), groups)


def _agree(
    problem: Problem, left: Sequence[int], right: Sequence[int], together: set[Pair]
) -> bool:
    """Whether all of `left` may have the offset of all of `right`."""
    return all(
        (a, b) in together or b not in problem.gaps[a] or min(_both(problem, a, b)) <= 0
        for a in left
        for b in right
    )


def _both(problem: Problem, a: int, b: int) -> Pair:
    return problem.gaps[a][b], problem.gaps[b][a]


def _contracted(
    problem: Problem, members: Sequence[Sequence[int]], groups: Sequence[int]
) -> Problem:
    """One buffer for each group: the largest size, the whole span, the widest gaps."""
    gaps: tuple[dict[int, int], ...] = tuple({} for _ in members)
    for a, row in enumerate(problem.gaps):
        for b, gap in row.items():
            upper = gaps[groups[a]]
            if groups[a] != groups[b]:
                upper[groups[b]] = max(gap, upper.get(groups[b], gap))
    return Problem(
        tuple(max(problem.sizes[i] for i in group) for group in members),
        tuple(
            (min(problem.spans[i][0] for i in group), max(problem.spans[i][1] for i in group))
            for group in members
        ),
        gaps,
    )
