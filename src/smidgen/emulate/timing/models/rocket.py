"""Rocket, the 64-bit RISC-V core of the K210: five stages, in order, one instruction a clock.

No table of the K210 is public. Assumed is what SiFive's manuals say of the same core (U54 Core
Complex Manual, "Execution pipeline"): results of loads of words and doublewords can be used after
two clocks, of smaller ones and of products after three; sums and products of floats after five and
seven; a jump that was predicted costs nothing, and most are. Caches are taken to hold what is read.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, straight_clocks

_SMALL_LOADS = frozenset({"lb", "lbu", "lh", "lhu"})
_LOADS = frozenset({"lw", "lwu", "ld", "flw", "fld"})


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=0)


def _demand(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in _LOADS:
        return Demand(latency=2)
    if name in _SMALL_LOADS or name.startswith("mul"):
        return Demand(latency=3)
    if name.startswith(("div", "rem")):
        return Demand(latency=33, blocks=33)
    if name.startswith(("fdiv", "fsqrt")):
        return Demand(latency=20, blocks=20)
    if name.startswith(("fmadd", "fmsub", "fnm", "fmul", "fadd", "fsub")):
        return Demand(latency=7 if name.endswith(".d") else 5)
    return Demand()


PIPELINE = Pipeline(width=1, demand=_demand)
