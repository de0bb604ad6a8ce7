"""What a build favours where flash and speed are at odds, as the choice of kernels sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smidgen.ops.kernel import Cost, Kernel


@dataclass(frozen=True, slots=True)
class Objective:
    """The exchange rate between flash and instructions."""

    instructions_per_flash_byte: float
    """How many instructions of one inference a byte of flash is worth."""
    buys_speed: bool = False
    """Whether kernels are offered that take several times the flash of others."""

    shares_code: bool = True
    """Whether layers that run the same kernel share one copy of its code."""

    def offers(self, kernel: Kernel) -> bool:
        """Whether `kernel` may be chosen at all."""
        return self.buys_speed or not kernel.spends_flash

    def price(self, cost: Cost) -> float:
        """`cost` in instructions; the kernel with the lowest price is chosen."""
        return cost.instructions + self.instructions_per_flash_byte * cost.flash_bytes


OBJECTIVES: Mapping[str, Objective] = {
    "size": Objective(4.0),
    "balanced": Objective(0.0),
    "speed": Objective(0.0, buys_speed=True, shares_code=False),
}
BALANCED = OBJECTIVES["balanced"]
