"""Which layers run one copy of a kernel's code, and which get a copy of their own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from enum import Enum

from smidgen.compiler.objective import Objective
from smidgen.graph.graph import Node
from smidgen.ops.kernel import KernelCall

COLD = 1 / 50
"""A function is cold if the layers that run it take less than this part of all instructions."""


class Style(Enum):
    """How a layer runs its kernel."""

    OWN = "own"
    """The kernel is inlined into the layer, its parameters are constants there."""
    SHARED = "shared"
    """One function for all layers that say so."""
    COMPACT = "compact"
    """As shared, but compiled for size."""


def styles(
    chosen: Sequence[tuple[Node, KernelCall]],
    instructions: Mapping[str, float],
    objective: Objective,
) -> Mapping[str, Style]:
    """The style of each node, by name, from the expected `instructions` of each node.

    Layers share where they run the same kernel, and its code is compact where the time is spent
    elsewhere; only "speed" gives every layer its own copy.
    """
    if not objective.shares_code:
        return {node.name: Style.OWN for node, _ in chosen}
    runs = Counter(call.function for _, call in chosen)
    cold = _cold(chosen, instructions)
    return {node.name: _style(call.function, runs, cold) for node, call in chosen}


def _style(function: str, runs: Counter[str], cold: frozenset[str]) -> Style:
    if function in cold:
        return Style.COMPACT
    return Style.SHARED if runs[function] > 1 else Style.OWN


def _cold(
    chosen: Sequence[tuple[Node, KernelCall]], instructions: Mapping[str, float]
) -> frozenset[str]:
    taken: dict[str, float] = defaultdict(float)
    for node, call in chosen:
        taken[call.function] += instructions[node.name]
    limit = COLD * sum(taken.values())
    return frozenset(function for function, total in taken.items() if total < limit)
