"""Cortex-M7: an estimate. Arm publishes no table of clocks for it.

What is public (Cortex-M7 Technical Reference Manual, DDI 0489, "About the Cortex-M7 processor"):
six stages, in order, two instructions a clock, a branch target cache. Assumed here, and not from a
table:

- Two instructions start in one clock if the second needs no result of the first and they do not
  want the same unit; there is one load/store, one multiply, one floating-point and one branch unit.
- A load's result can be used two clocks later, a product's two, a floating-point result's three
  (multiply-accumulate six), all others' in the next clock.
- Loads and stores of N words take (N + 1) / 2 clocks; the data bus has 64 bits.
- Division takes 7 clocks, VDIV and VSQRT 14, and nothing starts meanwhile.
- A jump that is taken is predicted and costs one clock; an indirect one three.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.cycle_models.cost import BlockCost
from smidgen.emulate.cycle_models.scoreboard import Demand, straight_clocks
from smidgen.emulate.disassembly import Instruction

_MULTIPLE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop"})
_FP_MULTIPLE = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_MULTIPLY_PREFIXES = ("mul", "mla", "mls", "sml", "smu", "smm", "uml", "umu", "umaal")
_JUMPS = frozenset({"b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh"})
_FP_ACCUMULATE = ("vmla", "vmls", "vnml", "vfma", "vfms", "vfnm")


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    return BlockCost(straight=straight_clocks(block, _demand, width=2), taken=_taken(block[-1]))


def _taken(last: Instruction) -> int:
    if last.name in ("b", "bl", "cbz", "cbnz"):
        return 1
    return 3 if last.name in _JUMPS or "pc" in last.writes else 0


def _demand(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in _MULTIPLE or name in _FP_MULTIPLE:
        return Demand("memory", latency=2, blocks=(len(instruction.listed) + 1) // 2)
    if name.startswith(("ldr", "vldr", "str", "vstr")):
        return Demand("memory", latency=2)
    if name in ("sdiv", "udiv"):
        return Demand("multiply", latency=7, blocks=7)
    if name.startswith("v"):
        return _fp_demand(name)
    if name.startswith(_MULTIPLY_PREFIXES):
        return Demand("multiply", latency=2)
    return Demand("branch") if name in _JUMPS else Demand()


def _fp_demand(name: str) -> Demand:
    if name in ("vdiv", "vsqrt"):
        return Demand("float", latency=14, blocks=14)
    return Demand("float", latency=6 if name.startswith(_FP_ACCUMULATE) else 3)
