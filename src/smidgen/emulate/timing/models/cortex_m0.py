"""Cortex-M0: three pipeline stages, in order, one instruction at a time.

Source: Cortex-M0 Technical Reference Manual (DDI 0432), 3.3 "Instruction set summary", table 3-1,
for the fast multiplier (MULS in one clock, an option of the chip maker) and memory without wait
states: as the Cortex-M0+, but jumps that are taken cost one clock more (B 3, BX and BLX 3, BL 4,
POP {.., pc} 4 + N, ADD pc and MOV pc 3), and so do MRS, MSR and the barriers (4).
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models import cortex_m0plus
from smidgen.emulate.timing.models.cost import BlockCost


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    shorter = cortex_m0plus.block_cost(block)
    system = sum(each.name in cortex_m0plus.SYSTEM for each in block)
    return BlockCost(shorter.straight + system, shorter.taken + (shorter.taken > 0))
