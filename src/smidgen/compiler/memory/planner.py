"""The arena planner: offsets for buffers with lifetimes, in as small an arena as can be found.

Buffers whose lifetimes meet may not share bytes, except as an `Allowance` says. Greedy placement in
several orders gives a first plan, a climb over orders improves it, and an exact search over windows
of steps, grown around where the arena is fullest, improves it further and proves how little any
plan could need. Buffers that may share one offset are tried both ways, joined and apart. Budgets
are counted in steps, so the same buffers always get the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smidgen.compiler.memory.buffers import Allowance, Buffer, MemoryPlan
from smidgen.compiler.memory.greedy import climb, place, quick_plan
from smidgen.compiler.memory.joining import Pair, join
from smidgen.compiler.memory.levelling import level
from smidgen.compiler.memory.problem import Problem, make_problem
from smidgen.compiler.memory.search import Found, search

__all__ = ["Allowance", "Buffer", "MemoryPlan", "plan_memory"]

_LARGEST_WINDOW = 48
"""The most buffers that the exact search is asked to place."""
_WINDOW_WORK = 16_000
"""Buffers that the search may look at for one window."""
_PLACEMENTS = 12_000
"""Buffers that the climb may place."""
_MOST_WINDOWS = 4
_MOST_FLIPS = 8
"""How many pairs are tried apart instead of joined, or joined instead of apart."""


def plan_memory(
    buffers: Sequence[Buffer], allowances: Sequence[Allowance], alignment: int
) -> MemoryPlan:
    """Offsets, multiples of `alignment`, under which no two live buffers clash."""
    problem = make_problem(buffers, allowances, alignment)
    offsets, bound = _solve(problem) if not problem.joins else _solve_joined(problem)
    names = [buffer.name for buffer in buffers]
    return MemoryPlan(
        {name: at * alignment for name, at in zip(names, offsets, strict=True)},
        problem.extent(offsets) * alignment,
        bound * alignment,
    )


def _solve_joined(problem: Problem) -> tuple[list[int], int]:
    """As `_solve`, for pairs that may be joined: which of them are is chosen here."""
    joined = join(problem, problem.joins)
    best = joined.spread(_solve(joined.problem)[0])
    relaxed = problem.unjoined()
    bound = _bound(relaxed, best)
    if problem.extent(best) > bound:
        best = _flipped(problem, best, bound)
    return best, bound


def _flipped(problem: Problem, best: list[int], goal: int) -> list[int]:
    """The best plan found by joining or parting single pairs; `best` joins all that it can."""
    chosen = frozenset(problem.joins)
    for pair in _nearest(problem, best)[:_MOST_FLIPS]:
        joined = join(problem, sorted(chosen ^ {pair}))
        trial = joined.spread(quick_plan(joined.problem, goal))
        if problem.extent(trial) < problem.extent(best):
            chosen, best = chosen ^ {pair}, trial
    return best


def _nearest(problem: Problem, offsets: Sequence[int]) -> list[Pair]:
    """The pairs that may be joined, those nearest in time to the top of the arena first."""
    top = problem.extent(offsets)
    reached = (i for i, size in enumerate(problem.sizes) if offsets[i] + size == top)
    first, last = problem.spans[next(reached)]

    def distance(pair: Pair) -> tuple[int, Pair]:
        steps = [problem.spans[index] for index in pair]
        return max(first - max(s[1] for s in steps), min(s[0] for s in steps) - last, 0), pair

    return sorted(problem.joins, key=distance)


def _solve(problem: Problem) -> tuple[list[int], int]:
    """Offsets, and a proven bound on the extent of every plan."""
    bound = _clique_bound(problem)
    best = quick_plan(problem, bound)
    if problem.extent(best) > bound:
        best = climb(problem, _order_of(best), bound, _PLACEMENTS)
    for window in _windows(problem, best):
        if problem.extent(best) <= bound:
            break
        best, proven = _improved(problem, window, best)
        bound = max(bound, proven)
    return best, bound


def _bound(problem: Problem, offsets: Sequence[int]) -> int:
    """A proven bound on the extent of every plan of `problem`, of which `offsets` is one."""
    bound, limit = _clique_bound(problem), problem.extent(offsets)
    for window in _windows(problem, offsets):
        if bound >= limit:
            break
        bound = max(bound, _least_extent(problem.part(window), limit))
    return bound


def _clique_bound(problem: Problem) -> int:
    """The most that the buffers of one step need by themselves."""
    return max((_least_extent(problem.part(clique)) for clique in problem.cliques()), default=0)


def _order_of(offsets: Sequence[int]) -> list[int]:
    return sorted(range(len(offsets)), key=lambda i: offsets[i])


def _windows(problem: Problem, offsets: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Buffers alive in ever longer runs of steps around a step at which the top is reached."""
    top = problem.extent(offsets)
    highest = [i for i, size in enumerate(problem.sizes) if offsets[i] + size == top]
    steps = max((last for _, last in problem.spans), default=0) + 2
    center_first, center_last = problem.spans[highest[0]] if highest else (0, 0)
    reach, last_window = 0, tuple[int, ...]()
    for _ in range(_MOST_WINDOWS):
        if reach > 2 * steps:
            return
        low, high = center_first - reach, center_last + reach
        window = tuple(
            i for i, (first, last) in enumerate(problem.spans) if first <= high and last >= low
        )
        if len(window) > _LARGEST_WINDOW:
            return
        if window != last_window:
            yield window
        reach, last_window = reach * 2 + 1, window


def _improved(problem: Problem, window: Sequence[int], best: list[int]) -> tuple[list[int], int]:
    """The plan after an exact search over the window's buffers, and what they prove is needed."""
    part, limit = problem.part(window), problem.extent(best)
    levelled = level(part)
    if levelled is None:
        found = search(part.restricted(), limit, _WINDOW_WORK)
        offsets, proven = found.offsets, _least_extent(part, limit)
    else:
        found = search(levelled.problem, limit, _WINDOW_WORK)
        offsets = None if found.offsets is None else levelled.restore(found.offsets)
        proven = _proven(levelled.problem, found, limit)
    if offsets is not None:
        best = _built_on(problem, [window[i] for i in _order_of(offsets)], best)
    return best, proven


def _built_on(problem: Problem, seed: Sequence[int], best: list[int]) -> list[int]:
    """The better of `best` and a plan that places the buffers `seed` first, in their order."""
    chosen = set(seed)
    rest = [i for i in _order_of(best) if i not in chosen]
    order = [*seed, *sorted(rest, key=lambda i: -problem.sizes[i])]
    trial = place(problem, order)
    if problem.extent(trial) >= problem.extent(best):
        trial = climb(problem, order, problem.extent(best) - 1, _PLACEMENTS // 4)
    return min(best, trial, key=problem.extent)


def _least_extent(part: Problem, limit: int | None = None) -> int:
    """A proven bound on the extent of every plan of `part`; at most `limit`, if that is given."""
    start = sum(part.sizes) + 1 if limit is None else limit
    levelled = level(part)
    flat = part.relaxed() if levelled is None else levelled.problem
    return _proven(flat, search(flat, start, _WINDOW_WORK), start)


def _proven(part: Problem, found: Found, limit: int) -> int:
    """What a search for plans below `limit` proves: if it saw them all, the best or the limit."""
    if not found.complete:
        return 0
    return limit if found.offsets is None else part.extent(found.offsets)
