"""The main core of the ESP32-C6: as `rv32`, with static branch prediction.

Its maker publishes no table of clocks. Measured on the chip, by instruction (RESULTS.md of the
project LLTA-Bench) and in loops (the microbenchmarks of the project niccle; "Counting CPU cycles on
ESP32-C3 and ESP32-C6", ctrlsrc.io):

- Most instructions, stores and MUL among them, take one clock; MULH takes two, divisions ten. A
  load's result can be used after two clocks (three where it is the address of another load, which
  is not modelled).
- Branches backwards are expected to be taken, others are not. One that goes as expected takes a
  clock (the first time two, which is not modelled), one that does not three or four; here three.
- J takes one clock or two; here two. So do calls. RET is taken to take three.

The ESP32-P4's main cores are taken to be alike: nothing was found measured of their instructions.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.rv32 import Jumps, demands, with_jumps
from smidgen.emulate.timing.models.scoreboard import Pipeline, straight_clocks

JUMP_CLOCKS = Jumps(forward=2, backward=0, direct=1, indirect=2, backward_not_taken=2)
PIPELINE = Pipeline(width=1, demand=demands(divide=10, upper_product=2))


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return with_jumps(straight_clocks(block, PIPELINE), block[-1], JUMP_CLOCKS)
