"""Cortex-M3: the rules in `armv7m` with a multiplier that takes several clocks for 64 bits.

Source: Cortex-M3 Technical Reference Manual (DDI 0337), 3.3.1. UMULL and SMULL take 3 to 5 clocks
and UMLAL and SMLAL 4 to 7, "depending on the size of the source values"; here 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models import armv7m
from smidgen.emulate.timing.models.cost import BlockCost

TIMING = armv7m.Timing(
    fixed={
        **dict.fromkeys(("mla", "mls", "mrs", "msr", "tbb", "tbh"), 2),
        **dict.fromkeys(("umull", "smull"), 4),
        **dict.fromkeys(("umlal", "smlal"), 5),
        **dict.fromkeys(("sdiv", "udiv"), armv7m.DIVIDE_CLOCKS),
        **dict.fromkeys(("ldrd", "strd"), 3),
        **dict.fromkeys(("ldrex", "strex", "ldrexb", "strexb", "ldrexh", "strexh"), 2),
    },
    direct_refill=1,
    indirect_refill=2,
)


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return armv7m.block_cost(block, TIMING)
