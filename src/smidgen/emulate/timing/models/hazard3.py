"""Hazard3, the RISC-V core of the RP2350: its maker publishes every instruction's clocks.

Source: RP2350 datasheet, 3.8.8 "Instruction cycle counts" (Hazard3 manual, "Instruction Cycle
Counts"):

- Everything takes one clock, multiplications too, but: a load whose result the next instruction
  computes with two; divisions 18 (19 when a sign is corrected, not modelled); atomic operations 4.
- Jumps take two. A branch backwards that was taken last time is predicted and takes one when it is
  taken again; here every backward branch is taken to be predicted, all others not.
- A jump to a 32-bit instruction that is not on a whole word takes one clock more: not modelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.rv32 import BRANCHES, DIVISIONS, JUMPS, LOADS, goes_back
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, after, straight_clocks

_STORES = frozenset({"sb", "sh", "sw"})


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=_taken(block[-1]))


def _taken(last: Instruction) -> int:
    is_loop = last.name in BRANCHES and goes_back(last)
    return int(last.name in JUMPS and not is_loop)


def _demand(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in LOADS:
        return Demand(latency=2)
    if name in DIVISIONS:
        return Demand(latency=18, blocks=18)
    if name in _STORES:
        return Demand(needed=after(1, instruction.reads - instruction.address_registers))
    return Demand(latency=4, blocks=4) if name.startswith("amo") else Demand()


PIPELINE = Pipeline(width=1, demand=_demand)
