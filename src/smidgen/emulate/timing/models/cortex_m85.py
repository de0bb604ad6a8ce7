"""Cortex-M85: two instructions a clock, in order, with vectors of two beats. No table is public.

Source: Cortex-M85 Technical Reference Manual (101924), "About the processor": seven stages, in
order, superscalar, branch prediction, two beats a clock. Assumed: scalar instructions pair as on
the Cortex-M7, a vector instruction pairs with a scalar one, vectors take their pipe as on the
Cortex-M55, and a jump that is taken is predicted and costs nothing, an indirect one three clocks.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.linked.vectors import LOOP, vector_kind
from smidgen.emulate.timing.models import cortex_m7
from smidgen.emulate.timing.models.cortex_m55 import BEATS
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, straight_clocks

_DIRECT = frozenset({"b", "bl", "cbz", "cbnz"})


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    body = [each for each in block if vector_kind(each) != LOOP]
    return BlockCost(straight=straight_clocks(body, _PIPELINE), taken=_taken(block[-1]))


def _taken(last: Instruction) -> int:
    is_predicted = last.name in _DIRECT or vector_kind(last) == LOOP
    return 3 if not is_predicted and (last.name in ("bx", "blx") or "pc" in last.writes) else 0


def _demand(instruction: Instruction) -> Demand:
    kind = vector_kind(instruction)
    return Demand((kind,), holds=BEATS) if kind else cortex_m7.PIPELINE.demand(instruction)


_PIPELINE = Pipeline(width=2, demand=_demand, units=cortex_m7.PIPELINE.units)
