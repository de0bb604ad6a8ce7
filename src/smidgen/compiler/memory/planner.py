"""The arena planner: offsets for buffers with lifetimes, in as small an arena as can be found.

Buffers whose lifetimes meet may not share bytes, except as an `Allowance` says. Greedy placement in
several orders gives a first plan, a climb over orders improves it, and an exact search over windows
of steps, grown around where the arena is fullest, improves it further and proves how little any
plan could need. Budgets are counted in steps, so the same buffers always get the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smidgen.compiler.memory.buffers import Allowance, Buffer, MemoryPlan
from smidgen.compiler.memory.greedy import climb, place, simple_orders
from smidgen.compiler.memory.problem import Problem, make_problem
from smidgen.compiler.memory.search import Found, search

__all__ = ["Allowance", "Buffer", "MemoryPlan", "plan_memory"]

_LARGEST_WINDOW = 48
"""The most buffers that the exact search is asked to place."""
_WINDOW_WORK = 24_000
"""Buffers that the search may look at for one window."""
_MOST_WINDOWS = 4


def plan_memory(
    buffers: Sequence[Buffer], allowances: Sequence[Allowance], alignment: int
) -> MemoryPlan:
    """Offsets, multiples of `alignment`, under which no two live buffers clash."""
    problem = make_problem(buffers, allowances, alignment)
    offsets, bound = _solve(problem)
    names = [buffer.name for buffer in buffers]
    return MemoryPlan(
        {name: at * alignment for name, at in zip(names, offsets, strict=True)},
        problem.extent(offsets) * alignment,
        bound * alignment,
    )


def _solve(problem: Problem) -> tuple[list[int], int]:
    """Offsets, and a proven bound on the extent of every plan."""
    bound = max((_least_extent(problem.part(c)) for c in problem.cliques()), default=0)
    plans = [place(problem, order) for order in simple_orders(problem)]
    best = min(plans, key=problem.extent)
    if problem.extent(best) > bound:
        best = climb(problem, _order_of(best), bound)
    windows = _windows(problem, best)
    for window, _ in zip(windows, range(_MOST_WINDOWS), strict=False):
        if problem.extent(best) <= bound:
            break
        best, proven = _improved(problem, window, best)
        bound = max(bound, proven)
    return best, bound


def _order_of(offsets: Sequence[int]) -> list[int]:
    return sorted(range(len(offsets)), key=lambda i: offsets[i])


def _windows(problem: Problem, offsets: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Buffers alive in ever longer runs of steps around a step at which the top is reached."""
    top = problem.extent(offsets)
    highest = [i for i, size in enumerate(problem.sizes) if offsets[i] + size == top]
    steps = max((last for _, last in problem.spans), default=0) + 2
    center_first, center_last = problem.spans[highest[0]] if highest else (0, 0)
    reach, last_window = 0, tuple[int, ...]()
    while reach <= 2 * steps:
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
    found = search(part.restricted(), limit, _WINDOW_WORK)
    if found.offsets is not None:
        best = _built_on(problem, [window[i] for i in _order_of(found.offsets)], best)
    if part.has_negative_gaps:
        return best, _least_extent(part, limit)
    return best, _proven(part, found, limit)


def _built_on(problem: Problem, seed: Sequence[int], best: list[int]) -> list[int]:
    """The better of `best` and a plan that places the buffers `seed` first, in their order."""
    chosen = set(seed)
    rest = [i for i in _order_of(best) if i not in chosen]
    order = [*seed, *sorted(rest, key=lambda i: -problem.sizes[i])]
    trial = place(problem, order)
    if problem.extent(trial) >= problem.extent(best):
        trial = climb(problem, order, problem.extent(best) - 1)
    return min(best, trial, key=problem.extent)


def _least_extent(part: Problem, limit: int | None = None) -> int:
    """A proven bound on the extent of every plan of `part`; at most `limit`, if that is given."""
    relaxed = part.relaxed()
    start = sum(part.sizes) + 1 if limit is None else limit
    return _proven(part, search(relaxed, start, _WINDOW_WORK), start)


def _proven(part: Problem, found: Found, limit: int) -> int:
    """What a search for plans below `limit` proves: if it saw them all, the best or the limit."""
    if not found.complete:
        return max(part.sizes, default=0)
    return limit if found.offsets is None else part.extent(found.offsets)
