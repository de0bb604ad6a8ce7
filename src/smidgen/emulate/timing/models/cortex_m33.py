"""Cortex-M33: three stages, in order. Arm publishes no table of clocks for it.

Sources: Cortex-M33 Technical Reference Manual (100230), "About the processor" (three stages, in
order, limited dual issue of 16-bit instructions), and what Arm says of it in LLVM's model of the
Cortex-M55, which shares its integer pipeline (ARMScheduleM55.td). Assumed:

- One instruction starts in a clock. A second one joins it if both have 16 bits and one of them is a
  move, an addition or subtraction of an immediate, an extension or a jump.
- Results can be used in the next clock; those of loads, products, saturating and SIMD instructions
  and shifted operands one later. A multiply-accumulate passes its sum on to the next without delay.
- LDM and STM of N registers take N clocks, LDRD and STRD 2; a division takes 7 (2 to 11 are
  possible), VDIV and VSQRT 14, floating-point results 2 and multiply-accumulates 3.
- A jump that is taken costs two clocks more, for refilling the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.mainline import jump_refill, scalar_demand
from smidgen.emulate.timing.models.scoreboard import Pipeline, straight_clocks

PIPELINE = Pipeline(width=2, demand=scalar_demand)


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=jump_refill(block[-1]))
