"""Cortex-A76: takes four instructions a clock and runs them out of order.

Source: Cortex-A76 Software Optimization Guide (PJDOC-466751330-7215), chapters 2 and 3. Beside the
Cortex-A72, whose rules and latencies are taken otherwise, it runs three simple integer instructions
a clock and loads or stores two. Dot products, which the Cortex-A72 lacks, go through either vector
unit, one a clock, and are used after two clocks: so in LLVM's scheduling model of the Neoverse N1,
its relative (AArch64SchedNeoverseN1.td).
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models import cortex_a72
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.out_of_order import Engine, Use


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=ENGINE.clocks(block), taken=0)


def _use(instruction: Instruction) -> Use:
    if instruction.name in ("sdot", "udot"):
        return Use({"vector": 1}, latency=2)
    return cortex_a72.use(instruction)


ENGINE = Engine(width=4, units={"integer": 3, "load": 2, "store": 2, "vector": 2}, use=_use)
