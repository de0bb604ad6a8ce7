"""Cortex-M0+: two pipeline stages, in order, one instruction at a time.

Source: Cortex-M0+ Technical Reference Manual (DDI 0484), 3.3 "Instruction set summary", table 3-1,
for the fast multiplier (MULS in one clock; the small one takes 32 and is an option of the chip
maker) and zero-wait-state memory on the bus.
"""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost

_MULTIPLE = frozenset({"ldm", "stm", "push", "pop"})  # 1 + N
SYSTEM = ("mrs", "msr", "dmb", "dsb", "isb")
_FIXED = {
    **dict.fromkeys(("ldr", "ldrb", "ldrh", "ldrsb", "ldrsh", "str", "strb", "strh"), 2),
    **dict.fromkeys(SYSTEM, 3),
}
# Clocks beyond the first when the jump happens: B 2, BX and BLX 2, BL 3, POP {.., pc} 3 + N.
_JUMPS = {"b": 1, "bx": 1, "blx": 1, "bl": 2, "pop": 2}
_OTHER_WRITE_TO_PC = 1  # ADD pc and MOV pc: 2


def block_cost(block: Sequence[Instruction]) -> BlockCost:
    """The clocks of `block`."""
    last = block[-1]
    writes_pc = "pc" in last.writes or last.name in _JUMPS
    taken = _JUMPS.get(last.name, _OTHER_WRITE_TO_PC) if writes_pc else 0
    return BlockCost(straight=sum(map(_clocks, block)), taken=taken)


def _clocks(instruction: Instruction) -> int:
    if instruction.name in _MULTIPLE:
        return 1 + len(instruction.listed)
    return _FIXED.get(instruction.name, 1)
