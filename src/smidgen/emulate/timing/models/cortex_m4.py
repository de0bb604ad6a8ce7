"""Cortex-M4 with FPU: the rules in `armv7m`, every multiplication and DSP instruction in one clock.

Sources: Cortex-M4 Technical Reference Manual (DDI 0439), 3.3.1 (integer and DSP) and 7.2.3 "FPU
instruction set" (VDIV and VSQRT 14, multiply-accumulate 3, VLDR and VSTR 2 or 3).
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models import armv7m
from smidgen.emulate.timing.models.cost import BlockCost

FPU_CLOCKS = {
    **dict.fromkeys(("vdiv", "vsqrt"), 14),
    **dict.fromkeys(("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnma", "vfnms"), 3),
    **dict.fromkeys(("vldr", "vstr"), 2),
}
TIMING = armv7m.Timing(
    fixed={
        **FPU_CLOCKS,
        **dict.fromkeys(("mrs", "msr", "tbb", "tbh"), 2),
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
