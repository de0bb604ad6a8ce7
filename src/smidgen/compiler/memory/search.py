"""Exact plans for few buffers: branch and bound over the order of offsets.

Some best plan has every buffer pushed down as far as those below it allow. The search builds such
plans from the bottom up: buffers are placed in the order of their offsets, each as low as those
already placed permit. It cuts a branch

- where what is alive at some step cannot fit below the best plan known (a bound on the stack of
  the buffers still to be placed), and
- where a buffer left out so far would have fitted below everything that is still to come (Giffler
  and Thompson's active schedules, 1960: putting it there delays nothing).

This needs gaps that are not negative; see `level`, `Problem.restricted` and `Problem.relaxed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from smidgen.compiler.memory.problem import Problem

_LARGEST_STACK = 9
"""The most buffers of one step whose order the bound looks at; of more, only the largest ones."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best plan below the limit, and whether all plans were covered.

    `extent` is None where no plan is below the limit. `order` lists the buffers so that each,
    placed as low as those before it allow, gives that plan.
    """

    extent: int | None
    order: tuple[int, ...]
    complete: bool


def search(problem: Problem, limit: int, work: int) -> Found:
    """The plan of the least extent below `limit`, after looking at `work` buffers at most."""
    state = _Search(problem, limit, work)
    floors = list(problem.bases) or [0] * len(problem.sizes)
    complete = state.descend(floors, (1 << len(floors)) - 1, 0, -1, 0)
    return Found(state.best, state.order, complete)


@dataclass(slots=True)
class _Search:
    problem: Problem
    limit: int
    work: int
    best: int | None = None
    order: tuple[int, ...] = ()
    path: list[int] = field(default_factory=list)
    stacks: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    heights: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for clique in self.problem.cliques():
            largest = sorted(clique, key=lambda i: -self.problem.sizes[i])[:_LARGEST_STACK]
            self.stacks.append((sum(1 << i for i in largest), tuple(largest)))

    def descend(self, floors: list[int], left: int, level: int, last: int, top: int) -> bool:
        """Place the buffers `left` (a bit each) at or above `level`; False when work ran out.

        `floors` is the lowest place of each, `last` the buffer that was placed last, and `top` the
        end of the highest one so far.
        """
        self.work -= len(floors)
        if self.work < 0:
            return False
        if not left:
            self.best = self.limit = top
            self.order = tuple(self.path)
            return True
        if not self._fits(floors, left, level):
            return True
        for index in self._branches(floors, left, level, last):
            at = floors[index]
            raised = list(floors)
            for other, gap in self.problem.gaps[index].items():
                raised[other] = max(raised[other], at + gap)
            self.path.append(index)
            end = max(top, at + self.problem.sizes[index])
            if not self.descend(raised, left & ~(1 << index), at, index, end):
                return False
            self.path.pop()
        return True

    def _branches(self, floors: list[int], left: int, level: int, last: int) -> list[int]:
        """The buffers that may come next, lowest and largest first."""
        gaps, sizes = self.problem.gaps, self.problem.sizes
        roof = self.limit
        for index in _members(left):
            reach = max((gap for other, gap in gaps[index].items() if left >> other & 1), default=1)
            roof = min(roof, floors[index] + max(reach, 1))
        ready = [
            index
            for index in _members(left)
            if level <= floors[index] < roof
            and (floors[index] > level or index > last or index in gaps[last])
        ]
        return sorted(ready, key=lambda i: (floors[i], -sizes[i], i))

    def _fits(self, floors: list[int], left: int, level: int) -> bool:
        """Whether the buffers left at each step may still stay below the limit."""
        for mask, members in self.stacks:
            stack = mask & left
            lowest = min(
                (max(floors[i], level) + self._height(stack, i) for i in members if stack >> i & 1),
                default=0,
            )
            if lowest >= self.limit:
                return False
        return True

    def _height(self, stack: int, bottom: int) -> int:
        """A bound on the height of `stack` with `bottom` lowest: the least sum of gaps upwards."""
        known = self.heights.get((stack, bottom))
        if known is None:
            rest = stack & ~(1 << bottom)
            gaps = self.problem.gaps[bottom]
            above = (gaps.get(i, 0) + self._height(rest, i) for i in _members(rest))
            known = max(self.problem.sizes[bottom], min(above, default=0))
            self.heights[stack, bottom] = known
        return known


def _members(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
