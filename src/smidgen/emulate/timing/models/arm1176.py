"""ARM1176JZF-S: one instruction a clock, in order, with results that arrive late.

Source: ARM1176JZF-S Technical Reference Manual (DDI 0301H), chapter 16. Of its rules:

- Loads are used three clocks after they start; 16-bit products and sums of two take one clock and
  are used after three, 32-bit ones take two and are used after four, 64-bit ones three.
- What an address is computed from, the factors of a product and a register that is shifted are
  needed a clock early; the register that a product is added to, a clock late.
- A shift by a register takes a clock more. Load and store multiple move two words a clock.
- VFP11 sums and products are used after eight clocks, quotients and roots take 15.

Jumps are taken to be predicted, and to cost a clock where they are taken; caches to hold what is
read.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost
from smidgen.emulate.timing.models.scoreboard import Demand, Pipeline, after, straight_clocks

_MULTIPLE = frozenset({"ldm", "ldmib", "ldmdb", "stm", "stmib", "stmdb", "push", "pop"})
_MULTIPLE_FLOATS = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_LONG_PRODUCTS = frozenset({"smull", "umull", "smlal", "umlal", "umaal"})
_SHORT_PRODUCTS = ("smul", "smla", "smua", "smus", "smls")
_SATURATED = ("q", "uq", "ssat", "usat", "sel", "usad")
_JUMPS = frozenset({"b", "bl", "bx", "blx"})
_SHIFTS = frozenset({"lsl", "lsr", "asr", "ror"})
_TAKEN = 1


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    last = block[-1]
    jumps = last.name in _JUMPS or "pc" in last.writes
    return BlockCost(straight=straight_clocks(block, PIPELINE), taken=_TAKEN if jumps else 0)


def _demand(instruction: Instruction) -> Demand:
    name = instruction.name
    if name in _MULTIPLE or name in _MULTIPLE_FLOATS:
        words = len(instruction.listed)
        return Demand(latency=3, blocks=max((words + 1) // 2, 1))
    if name.startswith("v"):
        return _floating(name, instruction)
    if name.startswith(("ldr", "str")):
        addresses = instruction.address_registers
        return Demand(latency=3, latencies=after(1, addresses), needed=after(-1, addresses))
    product = _product(instruction)
    if product is not None:
        return product
    if name.startswith(_SATURATED):
        return Demand(latency=2)
    needed = after(-1, instruction.shifted_registers)
    return Demand(blocks=1 + _shifts_by_register(instruction), needed=needed)


def _product(instruction: Instruction) -> Demand | None:
    name, names = instruction.name, instruction.operands.split(", ")
    if name in _LONG_PRODUCTS:
        needed = {**after(-1, names[2:]), **after(1, names[:1])}
        return Demand(latency=5, blocks=3, needed=needed)
    needed = {**after(-1, names[1:3]), **after(1, names[3:])}
    if name in ("mul", "mla", "mls") or name.startswith("smm"):
        return Demand(latency=4, blocks=2, needed=needed)
    if name.startswith(_SHORT_PRODUCTS):
        return Demand(latency=3, needed=needed)
    return None


def _shifts_by_register(instruction: Instruction) -> bool:
    if instruction.name in _SHIFTS:
        return "#" not in instruction.operands
    words = instruction.operands.rpartition(", ")[2].split()
    return len(words) == 2 and words[0] in _SHIFTS and "#" not in words[1]


def _floating(name: str, instruction: Instruction) -> Demand:
    if name.startswith(("vldr", "vstr")):
        return Demand(latency=4, needed=after(-1, instruction.address_registers))
    if name.startswith(("vdiv", "vsqrt")):
        return Demand(latency=19, blocks=15)
    return Demand(latency=4 if name == "vmov" else 8)


PIPELINE = Pipeline(width=1, demand=_demand)
