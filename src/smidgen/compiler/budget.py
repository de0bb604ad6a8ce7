"""A program within a RAM budget: some run of layers goes in bands of rows, if it must.

Every run of layers that has one output, and several paces for each, are candidates. What they must
hold at the least, which is quick to tell, rules most of them out; the others are planned in the
order of the instructions that they are expected to add, and the first that fits is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from smidgen.compiler.bands.call import BandedCall
from smidgen.compiler.bands.extents import finest_pace, row_windows
from smidgen.compiler.bands.kernels import BandKernels
from smidgen.compiler.bands.lowering import least_scratch_bytes, lower_bands
from smidgen.compiler.bands.op import RowBands, cut_out, with_bands
from smidgen.compiler.bands.rows import RowWindow, row_window
from smidgen.compiler.choice import Wanted
from smidgen.compiler.memory.regions import Room
from smidgen.compiler.program import Program, build_program
from smidgen.compiler.schedule import bytes_alive
from smidgen.core.errors import DoesNotFit, UnsupportedError
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Core

_MOST_PLANS = 24
"""How many candidates are planned in full."""
_LEAST_PLANS = 10
"""How many are planned in search of the least, for an error to name."""
_FINEST_PACES = 3
"""How many paces of a run are looked at in search of the least."""
_MOST_LOWERED = 120
"""How many candidates are given kernels."""
_COARSE_PACES = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """Nodes `first` to `end` - 1 of a graph as the one op `bands`."""

    first: int
    end: int
    bands: RowBands
    row_bytes: int
    """Of row buffers, at the least."""
    alive_bytes: int
    """Of tensors that must be there while the bands run."""
    elsewhere_bytes: int
    """The same at the fullest of the other steps."""

    @property
    def least_bytes(self) -> int:
        """The arena needs as much at the least, whatever the kernels."""
        return max(self.alive_bytes + self.row_bytes, self.elsewhere_bytes)


@dataclass(frozen=True, slots=True)
class _Price:
    """The instructions that bands are expected to add, and the least arena with their kernels."""

    added_instructions: float
    least_bytes: int


def within_budget(
    program: Program, core: Core, wanted: Wanted, budget_bytes: int, rooms: Sequence[Room] = ()
) -> Program:
    """`program`, or one with layers in bands, whose arena has at most `budget_bytes`.

    Raises DoesNotFit, which names the least that was found.
    """
    if program.arena_bytes <= budget_bytes:
        return program
    search = _Search(program, BandKernels(core, wanted.objective), wanted, budget_bytes, rooms)
    for trial in map(search.build, search.ranked()):
        if trial.arena_bytes <= budget_bytes:
            return trial
    least = search.least()
    if least.arena_bytes <= budget_bytes:
        return least
    raise _too_small(least, budget_bytes)


@dataclass(frozen=True, slots=True)
class _Search:
    program: Program
    kernels: BandKernels
    wanted: Wanted
    budget_bytes: int
    rooms: Sequence[Room]

    @property
    def _graph(self) -> Graph:
        return self.program.graph

    def ranked(self) -> list[_Candidate]:
        """The candidates that may fit and are worth planning, the cheapest first."""
        alive = bytes_alive(self._graph)
        full = [index for index, count in enumerate(alive) if count > self.budget_bytes]
        likely = [each for each in self._around(full) if each.least_bytes <= self.budget_bytes]
        priced = ((self._price(each), each) for each in _worth_lowering(likely))
        able = [
            (price, each)
            for price, each in priced
            if price is not None and price.least_bytes <= self.budget_bytes
        ]
        able.sort(key=lambda pair: (pair[0].added_instructions, pair[0].least_bytes))
        return [each for _, each in able[:_MOST_PLANS]]

    def least(self) -> Program:
        """The program that needs least, whatever the budget."""
        alive = bytes_alive(self._graph)
        fullest = [alive.index(max(alive))] if alive else []
        found = self._around(fullest, most_paces=_FINEST_PACES)
        likely = sorted(found, key=lambda each: each.least_bytes)[:_LEAST_PLANS]
        able = [each for each in likely if self._price(each) is not None]
        trials = [self.program, *map(self.build, able)]
        return min(trials, key=lambda each: each.arena_bytes)

    def build(self, candidate: _Candidate) -> Program:
        """The program of a candidate."""
        graph = with_bands(self._graph, candidate.first, candidate.end, candidate.bands)
        return build_program(graph, self.kernels.core, self.wanted, self.kernels, self.rooms)

    def _around(self, steps: Sequence[int], most_paces: int | None = None) -> Iterator[_Candidate]:
        """Runs of layers that hold all of `steps`, at so many paces, the finest first."""
        nodes = self._graph.nodes
        ruled = [row_window(each.op, self._graph.signature(each)) is not None for each in nodes]
        last_first, first_end = (steps[0], steps[-1] + 1) if steps else (len(nodes) - 1, 0)
        for first in range(last_first + 1):
            for end in range(first + 1, len(nodes) + 1):
                if not ruled[end - 1]:
                    break
                if end >= max(first + 2, first_end):
                    yield from islice(self._at_each_pace(first, end), most_paces)

    def _at_each_pace(self, first: int, end: int) -> Iterator[_Candidate]:
        body = cut_out(self._graph, first, end)
        windows = None if body is None else row_windows(body)
        if body is None or windows is None:
            return
        alive = bytes_alive(with_bands(self._graph, first, end, RowBands(body, Fraction(1))))
        for pace in _paces(body, windows):
            bands = RowBands(body, pace)
            elsewhere = max([*alive[:first], *alive[first + 1 :]], default=0)
            rows = least_scratch_bytes(bands.plan)
            yield _Candidate(first, end, bands, rows, alive[first], elsewhere)

    def _price(self, candidate: _Candidate) -> _Price | None:
        """What a candidate takes, by its kernels; None where none serves its bands."""
        body = candidate.bands.body
        try:
            call = lower_bands(candidate.bands, self.kernels)
        except UnsupportedError:
            return None
        whole = sum(
            self.kernels.whole_instructions(node, body.signature(node)) for node in body.nodes
        )
        scratch = call.frugal.scratch_bytes if call.frugal else call.scratch_bytes
        least = max(candidate.alive_bytes + scratch, candidate.elsewhere_bytes)
        return _Price(call.loop.expected_instructions - whole, least)


def _worth_lowering(likely: Sequence[_Candidate]) -> list[_Candidate]:
    """Those of the fewest bands, which cost least, and those of the least bytes, which may fit."""
    quick = sorted(likely, key=lambda each: each.bands.plan.bands * len(each.bands.body.nodes))
    small = sorted(likely, key=lambda each: each.least_bytes)
    return list(dict.fromkeys([*quick[: _MOST_LOWERED // 2], *small[: _MOST_LOWERED // 2]]))


def _paces(body: Graph, windows: Mapping[str, RowWindow]) -> Iterator[Fraction]:
    """Paces from one row of the first layers a band to half of the last tensor."""
    finest, height = finest_pace(body, windows), body.tensors[body.outputs[0]].shape[1]
    parts = finest.denominator
    yield from (Fraction(1, n) for n in range(parts, 1, -1) if parts % n == 0)
    yield from (Fraction(rows) for rows in _COARSE_PACES if 2 * rows <= height)


def _too_small(best: Program, budget_bytes: int) -> DoesNotFit:
    loops = [step.call.loop for step in best.steps if isinstance(step.call, BandedCall)]
    how = (
        f" (with {loops[0].body.name} in bands)" if loops else " (no layers of it can run in bands)"
    )
    inputs = sum(best.graph.tensors[name].nbytes for name in best.graph.inputs)
    return DoesNotFit(
        f"RAM budget of {budget_bytes:,} B",
        f"the least arena that was found has {best.arena_bytes:,} B{how}, "
        f"{inputs:,} of them for the input",
        f"allow at least {best.arena_bytes}, or use a smaller input or fewer channels",
    )
