"""What each objective makes of a kernel's cost."""

from __future__ import annotations

import pytest

from smidgen.compiler.objective import OBJECTIVES
from smidgen.ops.kernel import Cost
from smidgen.ops.registry import kernels

SMALL = Cost(instructions=3000.0, flash_bytes=100.0)
FAST = Cost(instructions=1000.0, flash_bytes=1000.0)


@pytest.mark.parametrize(("name", "wins"), [("size", SMALL), ("balanced", FAST), ("speed", FAST)])
def test_flash_counts_for_size_alone(name: str, wins: Cost) -> None:
    assert min((SMALL, FAST), key=OBJECTIVES[name].price) is wins


def test_size_pays_for_flash_that_saves_enough() -> None:
    faster = Cost(instructions=SMALL.instructions - 5.0 * 900, flash_bytes=1000.0)
    assert OBJECTIVES["size"].price(faster) < OBJECTIVES["size"].price(SMALL)


def test_kernels_that_spend_flash_are_offered_for_speed_alone() -> None:
    spending = [kernel for listed in kernels().values() for kernel in listed if kernel.spends_flash]
    assert spending
    offered = {name: OBJECTIVES[name].offers(kernel) for name in OBJECTIVES for kernel in spending}
    assert offered == {"size": False, "balanced": False, "speed": True}


def test_every_op_can_be_served_without_spending_flash() -> None:
    assert all(any(not kernel.spends_flash for kernel in listed) for listed in kernels().values())
