"""What a build favours where flash and speed are at odds, as the choice of kernels sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smidgen.core.errors import UnknownName
from smidgen.ops.kernel import Cost, Kernel


@dataclass(frozen=True, slots=True)
class Objective:
    """The exchange rate between flash and instructions."""

    instructions_per_flash_byte: float
    """How many instructions of one inference a byte of flash is worth."""
    buys_speed: bool = False
    """Whether kernels are offered that take several times the flash of others."""

    flash_share_per_kb: float = 0.0
    """What a kilobyte of flash is worth where costs were measured, as a part of all time."""
    compiler_flag: str = "-O2"
    shares_code: bool = True
    """Whether layers that run the same kernel share one copy of its code."""

    def offers(self, kernel: Kernel) -> bool:
        """Whether `kernel` may be chosen at all."""
        return self.buys_speed or not kernel.spends_flash

    def price(self, cost: Cost) -> float:
        """`cost` in instructions; the kernel with the lowest price is chosen."""
        return cost.instructions + self.instructions_per_flash_byte * cost.flash_bytes


OBJECTIVES: Mapping[str, Objective] = {
    "size": Objective(4.0, flash_share_per_kb=1.0, compiler_flag="-Os"),
    "balanced": Objective(0.0, flash_share_per_kb=0.01),
    "speed": Objective(0.0, buys_speed=True, shares_code=False),
}
BALANCED = OBJECTIVES["balanced"]


def objective_called(name: str) -> Objective:
    """The objective called `name`; raises UnknownName."""
    if name not in OBJECTIVES:
        raise UnknownName("objective", name, OBJECTIVES)
    return OBJECTIVES[name]
