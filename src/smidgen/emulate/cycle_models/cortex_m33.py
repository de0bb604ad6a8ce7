"""Cortex-M33: an estimate. Arm publishes no table of clocks for it.

What is public (Cortex-M33 Technical Reference Manual, 100230, "About the processor"): three
stages, in order, limited dual issue of pairs of 16-bit instructions. Assumed here, and not from a
table: the costs of the Cortex-M4, and no dual issue, which errs on the slow side.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.cycle_models import armv7m, cortex_m4
from smidgen.emulate.cycle_models.cost import BlockCost
from smidgen.emulate.disassembly import Instruction


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return armv7m.block_cost(block, cortex_m4.TIMING)
