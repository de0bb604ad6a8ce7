"""Small 32-bit RISC-V cores (in order, one instruction at a time, no branch prediction).

No maker publishes a table of clocks. Measured on an ESP32-C3, a core of four stages (the
microbenchmarks of the project niccle; "Counting CPU cycles on ESP32-C3 and ESP32-C6", ctrlsrc.io):

- Most instructions, stores among them, take one clock; a load's result can be used after two.
- A branch that is taken takes three, whichever way it goes, one that is not takes one; J takes two.

Assumed:

- Calls are as J. Jumps through a register (RET) take three.
- Multiplications take one clock, divisions 33, one for each bit and one to start, as a plain
  divider does.
- Floating-point results can be used after four clocks, quotients and roots after 16.

The same is taken for the cores of the CH32V307 (QingKe V4F) and the GD32VF103 (Bumblebee).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, straight_clocks

LOADS = frozenset({"lb", "lbu", "lh", "lhu", "lw", "flw"})
DIVISIONS = frozenset({"div", "divu", "rem", "remu"})
BRANCHES = frozenset({"beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez"})
DIRECT = frozenset({"j", "jal"})
INDIRECT = frozenset({"jr", "jalr", "ret"})
JUMPS = BRANCHES | DIRECT | INDIRECT


@dataclass(frozen=True, slots=True)
class Jumps:
    """The clocks beyond the first of jumps that are taken, and of a backward branch that is not."""

    forward: int
    backward: int
    direct: int
    indirect: int
    backward_not_taken: int = 0


JUMP_CLOCKS = Jumps(forward=2, backward=2, direct=1, indirect=2)


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return with_jumps(straight_clocks(block, PIPELINE), block[-1], JUMP_CLOCKS)


def with_jumps(straight: int, last: Instruction, clocks: Jumps) -> BlockCost:
    """The cost of a block that takes `straight` clocks and ends in `last`."""
    name = last.name
    if name in INDIRECT:
        return BlockCost(straight, clocks.indirect)
    if name in DIRECT:
        return BlockCost(straight, clocks.direct)
    if name not in BRANCHES:
        return BlockCost(straight, 0)
    if not goes_back(last):
        return BlockCost(straight, clocks.forward)
    missed = clocks.backward_not_taken
    return BlockCost(straight + missed, clocks.backward - missed)


def goes_back(branch: Instruction) -> bool:
    """Whether a direct jump goes to a lower address; its operand is how far it goes."""
    return branch.operands.rpartition(" ")[2].startswith("-")


def demands(divide: int, upper_product: int = 1) -> Callable[[Instruction], Demand]:
    """What an instruction needs; divisions and upper halves of products take so many clocks."""

    def demand(instruction: Instruction) -> Demand:
        name = instruction.name
        if name in LOADS:
            return Demand(latency=2)
        if name in DIVISIONS:
            return Demand(latency=divide, blocks=divide)
        if name.startswith("mulh"):
            return Demand(latency=upper_product, blocks=upper_product)
        if name.startswith(("fdiv", "fsqrt")):
            return Demand(latency=16, blocks=16)
        if name.startswith("f") and name not in ("fence", "fsw"):
            return Demand(latency=4)
        return Demand()

    return demand


PIPELINE = Pipeline(width=1, demand=demands(divide=33))
