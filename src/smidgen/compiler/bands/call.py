"""The call of layers in bands: a loop of other calls, with pointers that move from band to band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from smidgen.compiler.sharing import Style
from smidgen.graph.graph import Graph, Node
from smidgen.ops.kernel import KernelCall


@dataclass(frozen=True, slots=True)
class Turns:
    """The bands `first`, `first` + `every`, ... `last`."""

    first: int
    last: int
    every: int = 1

    @property
    def count(self) -> int:
        """How many they are."""
        return (self.last - self.first) // self.every + 1

    def followed_by(self, band: int) -> Turns | None:
        """With one more band; None where it does not go on evenly."""
        if self.first == self.last:
            return Turns(self.first, band, band - self.first)
        return Turns(self.first, band, self.every) if band == self.last + self.every else None


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where an operand starts: `offset` bytes into its tensor or buffer, `step` more each turn."""

    tensor: str
    offset: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """The bands in which a layer is called alike."""

    turns: Turns
    call: KernelCall
    inputs: tuple[Pointer | None, ...]
    """None stands for a constant, or an input that is left out."""
    output: Pointer
    style: Style = Style.OWN


@dataclass(frozen=True, slots=True)
class BandStep:
    """One layer: how it is called in which bands, and where its scratch memory lies."""

    node: Node
    cases: tuple[Case, ...]
    scratch_offset: int | None


@dataclass(frozen=True, slots=True)
class Keep:
    """`nbytes` of a row buffer that move from `offset` to its start when a band ends."""

    turns: Turns
    tensor: str
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class BandLoop:
    """What runs once for each band: every layer, then the rows that are kept move.

    `places` are the offsets of row buffers in the scratch memory of the whole; tensors that are not
    in it lie in the arena as a whole.
    """

    body: Graph
    bands: int
    pace: Fraction
    """Rows of the last tensor that each band makes."""
    steps: tuple[BandStep, ...]
    keeps: tuple[Keep, ...]
    places: Mapping[str, int]
    row_buffer_bytes: Mapping[str, int]
    expected_instructions: float

    @property
    def pace_text(self) -> str:
        """``2 rows of the last tensor a band``, ``1 row of the last tensor every 4 bands``."""
        count, every = self.pace.numerator, self.pace.denominator
        rows = f"{count} row{'s' if count > 1 else ''} of the last tensor"
        return f"{rows} a band" if every == 1 else f"{rows} every {every} bands"

    @property
    def moved_bytes(self) -> int:
        """The bytes that are moved in one run so that rows are kept."""
        return sum(keep.nbytes * keep.turns.count for keep in self.keeps)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandedCall(KernelCall):
    """A call whose C is a loop over bands."""

    loop: BandLoop

    def uses(self) -> list[tuple[Node, KernelCall]]:
        """Every call in the loop, with a node that has a name of its own."""
        return [
            (replace(step.node, name=_case_name(step, index)), case.call)
            for step in self.loop.steps
            for index, case in enumerate(step.cases)
        ]

    def styled(self, styles: Mapping[str, Style]) -> BandedCall:
        """The same with the style of each call, by the names that `uses` gives."""
        steps = tuple(
            replace(
                step,
                cases=tuple(
                    replace(case, style=styles[_case_name(step, index)])
                    for index, case in enumerate(step.cases)
                ),
            )
            for step in self.loop.steps
        )
        return replace(self, loop=replace(self.loop, steps=steps))


def _case_name(step: BandStep, index: int) -> str:
    return f"{step.node.name}/{index}"
