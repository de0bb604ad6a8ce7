"""Cortex-M55: the scalar pipeline of the Cortex-M33, and vectors of two beats. No table is public.

Source: the scheduling model that Arm gave to LLVM (ARMScheduleM55.td). Of its rules:

- A vector instruction takes one of three pipes (loads and stores, integers, multiplications and
  floats) for two clocks; the next one for another pipe starts a clock later, for the same pipe two.
- The end of a low-overhead loop costs nothing, for its jump is known after the first round.

Which registers vectors depend on is not followed. Data are taken to be in tightly coupled memory or
the cache.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.linked.vectors import LOOP, vector_kind
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.mainline import jump_refill, scalar_demand
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, straight_clocks

BEATS = 2


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    body = [each for each in block if vector_kind(each) != LOOP]
    taken = 0 if vector_kind(block[-1]) == LOOP else jump_refill(block[-1])
    return BlockCost(straight=straight_clocks(body, PIPELINE), taken=taken)


def _demand(instruction: Instruction) -> Demand:
    kind = vector_kind(instruction)
    return Demand((kind,), holds=BEATS, alone=True) if kind else scalar_demand(instruction)


PIPELINE = Pipeline(width=2, demand=_demand)
"""Exported for the Cortex-M85, whose vectors are the same."""
