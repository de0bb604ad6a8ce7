"""Cortex-A53: two instructions a clock, in order. No table is public.

Source: the scheduling model that Arm gave to LLVM (AArch64SchedA53.td). Of its rules:

- Two instructions start together if their units allow it: two for integers, one for each of
  products, loads and stores, jumps, vectors.
- Results of integer instructions are used in the next clock, products after two, loads after three;
  what an address is computed from is needed a clock early.
- Vectors of 128 bits hold their unit for two clocks, the unit being 64 bits wide; results are used
  after three clocks, products after four, and a product may be added to the last one's sum at once.

Jumps are taken to be predicted, and to cost a clock where they are taken; caches to hold what is
read.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.aarch64 import (
    Kind,
    is_wide,
    kind_of,
    registers_moved,
    sums_of,
)
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, after, straight_clocks

_TAKEN = 1


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    taken = _TAKEN if kind_of(block[-1]) is Kind.JUMP else 0
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=taken)


def _demand(instruction: Instruction) -> Demand:
    kind = kind_of(instruction)
    if kind in (Kind.LOAD, Kind.STORE):
        clocks = registers_moved(instruction) * (2 if is_wide(instruction) else 1)
        addresses = instruction.address_registers
        return Demand(
            ("memory",),
            holds={"memory": clocks},
            latency=2 + clocks,
            latencies=after(1, addresses),
            needed=after(-1, addresses),
        )
    if kind in (Kind.VECTOR, Kind.VECTOR_PRODUCT, Kind.ELEMENT):
        clocks = 2 if is_wide(instruction) else 1
        latency = 4 if kind is Kind.VECTOR_PRODUCT else 3
        needed = after(1, sums_of(instruction))
        return Demand(("vector",), holds={"vector": clocks}, latency=latency, needed=needed)
    return _SCALARS[kind]


_SCALARS = {
    Kind.INTEGER: Demand(("integer",)),
    Kind.SHIFTED: Demand(("integer",), latency=2),
    Kind.PRODUCT: Demand(("product",), latency=2),
    Kind.DIVISION: Demand(("product",), latency=4, blocks=4),
    Kind.JUMP: Demand(("jump",)),
    Kind.FLOAT_DIVISION: Demand(("vector",), latency=18, blocks=14),
}
PIPELINE = Pipeline(width=2, demand=_demand, units={"integer": 2})
