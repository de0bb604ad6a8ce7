"""QingKe V2A, the core of the CH32V003: two stages, no branch prediction.

Its maker publishes no table of clocks. Measured on the chip without wait states (jnk0le's "pipeline
cycle test", ch32v003):

- Most instructions take one clock, loads and stores two.
- A branch or jump that is taken takes three, and one more to a 32-bit instruction that is not on a
  whole word: not modelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.rv32 import LOADS, Jumps, with_jumps
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, straight_clocks

JUMP_CLOCKS = Jumps(forward=2, backward=2, direct=2, indirect=2)
_TRANSFERS = LOADS | {"sb", "sh", "sw"}


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return with_jumps(straight_clocks(block, PIPELINE), block[-1], JUMP_CLOCKS)


def _demand(instruction: Instruction) -> Demand:
    return Demand(latency=2, blocks=2) if instruction.name in _TRANSFERS else Demand()


PIPELINE = Pipeline(width=1, demand=_demand)
