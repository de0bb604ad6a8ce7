"""Small 32-bit RISC-V cores (four stages, in order, one at a time): an estimate.

What is public (ESP32-C3 Technical Reference Manual, "ESP-RISC-V CPU"): four stages, in order,
scalar, hardware multiplier and divider. No table of clocks is published. Assumed here:

- Most instructions, multiplication among them, take one clock; a load's result can be used after
  two.
- A jump that is taken adds two clocks, for refilling fetch and decode.
- Division takes 33 clocks, one for each bit and one to start, as a plain divider does.
- Floating-point results can be used after four clocks, quotients and roots after 16.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, straight_clocks

LOADS = frozenset({"lb", "lbu", "lh", "lhu", "lw", "flw"})
DIVISIONS = frozenset({"div", "divu", "rem", "remu"})
JUMPS = frozenset(
    ("beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez", "j", "jal", "jr", "jalr", "ret")
)
_REFILL = 2


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    taken = _REFILL if block[-1].name in JUMPS else 0
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=taken)


def _demand(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in LOADS:
        return Demand(latency=2)
    if name in DIVISIONS:
        return Demand(latency=33, blocks=33)
    if name.startswith(("fdiv", "fsqrt")):
        return Demand(latency=16, blocks=16)
    if name.startswith("f") and name not in ("fence", "fsw"):
        return Demand(latency=4)
    return Demand()


PIPELINE = Pipeline(width=1, demand=_demand)
