"""Plans by placing one buffer after the other, and by improving the order in which that is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from smidgen.compiler.memory.problem import Problem

_QUICK_PLACEMENTS = 2_000
"""How many buffers the climb of a quick plan places."""


def place(problem: Problem, order: Sequence[int]) -> list[int]:
    """Offsets when each buffer, in `order`, takes the lowest place that those before it leave."""
    offsets = [-1] * len(problem.sizes)
    gaps = problem.gaps
    for index in order:
        blocked = sorted(
            (offsets[other] - gap, offsets[other] + gaps[other][index])
            for other, gap in gaps[index].items()
            if offsets[other] >= 0
        )
        at = 0
        for low, high in blocked:
            if at <= low:
                break
            at = max(at, high)
        offsets[index] = at
    return offsets


def simple_orders(problem: Problem) -> list[list[int]]:
    """Orders worth starting from: by size, by lifetime, along and against time."""
    return [sorted(range(len(problem.sizes)), key=key) for key in _keys(problem)]


def _keys(problem: Problem) -> tuple[Callable[[int], tuple[int, ...]], ...]:
    sizes, spans = problem.sizes, problem.spans
    return (
        lambda i: (-sizes[i], spans[i][0]),
        lambda i: (-(spans[i][1] - spans[i][0]), -sizes[i]),
        lambda i: (spans[i][0], -sizes[i]),
        lambda i: (-spans[i][1], -sizes[i]),
        lambda i: (-sizes[i] * (spans[i][1] - spans[i][0] + 1), spans[i][0]),
    )


def quick_plan(problem: Problem, goal: int) -> list[int]:
    """The best of the simple orders, improved for a little while if it is above `goal`."""
    orders = simple_orders(problem)
    plans = [place(problem, order) for order in orders]
    extents = [problem.extent(plan) for plan in plans]
    best = extents.index(min(extents))
    if extents[best] <= goal:
        return plans[best]
    return climb(problem, orders[best], goal, _QUICK_PLACEMENTS)


def climb(problem: Problem, order: Sequence[int], goal: int, placements: int) -> list[int]:
    """The best offsets found from `order` by moving single buffers to other places in the order.

    Stops at extent `goal`, or when so many buffers have been placed; that is a number of steps, not
    a time, and the random numbers have a fixed seed: the same problem has the same plan.
    """
    random = Random(1)
    current = list(order)
    best = place(problem, current)
    level = problem.extent(best)
    for _ in range(placements // max(1, len(current))):
        if level <= goal:
            break
        trial = _moved(problem, current, best, random)
        offsets = place(problem, trial)
        extent = problem.extent(offsets)
        if extent <= level:
            current, best, level = trial, offsets, extent
    return best


def _moved(
    problem: Problem, order: Sequence[int], offsets: Sequence[int], random: Random
) -> list[int]:
    """`order` with one buffer moved: mostly one that reaches the top, and mostly forwards."""
    top = problem.extent(offsets)
    highest = [at for at, i in enumerate(order) if offsets[i] + problem.sizes[i] == top]
    choices = highest if random.random() < 0.5 else range(len(order))
    source = choices[int(random.random() * len(choices))]
    target = int(random.random() * len(order))
    trial = list(order)
    trial.insert(target, trial.pop(source))
    return trial
