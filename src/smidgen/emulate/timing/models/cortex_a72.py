"""Cortex-A72: takes three instructions a clock and runs them out of order.

Source: Cortex-A72 Software Optimisation Guide (UAN 0016A), chapters 2 and 3, and LLVM's scheduling
model of the Cortex-A57, which LLVM uses for it (AArch64SchedA57.td). Of their rules:

- Units: two for simple integers, one for products, divisions and shifted operands, one to load, one
  to store, one for jumps, two for vectors, of which one multiplies.
- Products of 128-bit vectors keep that unit busy for two clocks; those that widen, for one. A sum
  of products takes the next product a clock later.
- Loads are used after four clocks, vector loads after five; a base register that moves, and vectors
  that are interleaved, take units beside. Elements go to and from vectors through the load unit.

Caches are taken to hold what is read, jumps to be predicted.
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
    writes_back,
)
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.out_of_order import Engine, Use


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=ENGINE.clocks(block), taken=0)


def use(instruction: Instruction) -> Use:
    """What an instruction uses; the Cortex-A76 has the same but for dot products."""
    kind = kind_of(instruction)
    if kind in (Kind.LOAD, Kind.STORE):
        return _memory(instruction, "load" if kind is Kind.LOAD else "store")
    if kind is Kind.VECTOR_PRODUCT:
        busy = 2 if is_wide(instruction) and not _widens(instruction) else 1
        units = {"multiplier": busy, "vector": busy}
        return Use(units, 5, sums_of(instruction), sum_latency=2, parts=busy)
    return _USES[kind]


def _memory(instruction: Instruction, unit: str) -> Use:
    """Two registers a clock, or one of 128 bits; what interleaves goes through the vectors too."""
    count, wide = registers_moved(instruction), is_wide(instruction)
    busy = count if wide else (count + 1) // 2
    interleaved = count if instruction.name in ("ld2", "ld3", "ld4", "st2", "st3", "st4") else 0
    units = {unit: busy, "vector": interleaved, "integer": writes_back(instruction)}
    is_vector = any(name.startswith("v") for name in instruction.writes)
    latency, moved = 5 if is_vector else 4, instruction.address_registers
    return Use(units, latency, quick=moved, parts=sum(units.values()))


def _widens(instruction: Instruction) -> bool:
    return instruction.name.rstrip("2").endswith(("ull", "lal", "lsl"))


_USES = {
    Kind.INTEGER: Use({"integer": 1}, latency=1),
    Kind.SHIFTED: Use({"product": 1}, latency=2),
    Kind.PRODUCT: Use({"product": 1}, latency=3),
    Kind.DIVISION: Use({"product": 12}, latency=12),
    Kind.JUMP: Use({"jump": 1}, latency=1),
    Kind.VECTOR: Use({"vector": 1}, latency=3),
    Kind.ELEMENT: Use({"load": 1, "vector": 1}, latency=8, parts=2),
    Kind.FLOAT_DIVISION: Use({"multiplier": 9, "vector": 9}, latency=10),
}
ENGINE = Engine(width=3, units={"integer": 2, "vector": 2}, use=use)
