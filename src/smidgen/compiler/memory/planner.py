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
    offsets, bound = _on_pillars(problem)
    names = [buffer.name for buffer in buffers]
    return MemoryPlan(
        {name: at * alignment for name, at in zip(names, offsets, strict=True)},
        problem.extent(offsets) * alignment,
        bound * alignment,
    )


def _on_pillars(problem: Problem) -> tuple[list[int], int]:
    """As `_solve`, with what shares no bytes at all (state, mostly) stacked up first."""
    pillars = problem.pillars()
    rest = [index for index in range(len(problem.sizes)) if index not in set(pillars)]
    part = problem.part(rest)
    above, bound = _solve_joined(part) if part.joins else _solve(part)
    offsets, base = [0] * len(problem.sizes), 0
    for index in pillars:
        offsets[index] = base
        base += problem.sizes[index]
    for index, at in zip(rest, above, strict=True):
        offsets[index] = base + at
    return offsets, base + bound


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
        if problem.extent(best) <= goal:
            break
        joined = join(problem, chosen ^ {pair})
        trial = joined.spread(_solve(joined.problem)[0])
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
    return max((_step_bound(problem.part(clique)) for clique in problem.cliques()), default=0)


def _step_bound(part: Problem) -> int:
    """A proven bound for buffers that are all alive at once."""
    pillars = part.pillars()
    others = [i for i, size in enumerate(part.sizes) if size and i not in set(pillars)]
    rest = part.part(others)
    # Whatever the order, each buffer but the highest is at least its least gap below another.
    gaps = (
        min([size, *row.values()]) if len(row) == len(others) - 1 else 0
        for size, row in zip(rest.sizes, rest.gaps, strict=True)
    )
    return sum(part.sizes[index] for index in pillars) + max(_least_extent(rest), sum(gaps))


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
    found = search(levelled or part.restricted(), limit, _WINDOW_WORK)
    if found.extent is not None:
        best = _built_on(problem, [window[i] for i in found.order], best)
    return best, _least_extent(part, limit) if levelled is None else _proven(found, limit)


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
    return _proven(search(level(part) or part.relaxed(), start, _WINDOW_WORK), start)


def _proven(found: Found, limit: int) -> int:
    """What a search for plans below `limit` proves: if it saw them all, the best or the limit."""
    if not found.complete:
        return 0
    return limit if found.extent is None else found.extent
