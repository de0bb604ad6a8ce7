"""The cost of a block of code, and of the instructions at its end being followed or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smidgen.emulate.linked.disassembly import Instruction


@dataclass(frozen=True, slots=True)
class BlockCost:
    """Modelled clocks of one run through a block, and the clocks more if it ends in a jump.

    `mispredicted` are those more where a predictor took the jump at its end for the other case.
    """

    straight: float
    taken: float
    mispredicted: float = 0.0


CycleModel = Callable[[Sequence[Instruction]], BlockCost]
