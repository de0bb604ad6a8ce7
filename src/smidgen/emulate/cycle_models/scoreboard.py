"""An in-order core that starts up to `width` instructions a clock and waits for results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smidgen.emulate.disassembly import Instruction


@dataclass(frozen=True, slots=True)
class Demand:
    """What an instruction needs: a unit (one of each a clock, "" for any), clocks until its result
    can be used, and clocks for which it keeps all others from starting.
    """

    unit: str = ""
    latency: int = 1
    blocks: int = 0


def straight_clocks(
    block: Sequence[Instruction], demand: Callable[[Instruction], Demand], width: int
) -> int:
    """The clocks from the start of the first instruction until after the start of the last.

    Results that are still on their way at the end are left to the next block.
    """
    ready: dict[str, int] = {}
    clock, started, units = 0, 0, set[str]()
    for instruction in block:
        need = demand(instruction)
        earliest = max((ready.get(name, 0) for name in instruction.reads), default=0)
        if started == width or need.unit in units or earliest > clock:
            clock, started, units = max(clock + (started > 0), earliest), 0, set[str]()
        started += 1
        units |= {need.unit} - {""}
        ready.update(dict.fromkeys(instruction.writes, clock + need.latency))
        if need.blocks:
            clock, started, units = clock + need.blocks, 0, set[str]()
    return clock + (started > 0)
