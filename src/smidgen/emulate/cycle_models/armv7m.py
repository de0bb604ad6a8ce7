"""The rules that Cortex-M3 and Cortex-M4 share: three stages, in order, one at a time.

Sources: Cortex-M3 Technical Reference Manual (DDI 0337), 3.3.1 "Cortex-M3 instructions" and 3.3.3
"Load/store timings"; Cortex-M4 Technical Reference Manual (DDI 0439), 3.3.1 and 3.3.3.

- Most instructions take one clock.
- A load takes two. Right after another load whose result is not its address it takes one, because
  address and data phases overlap.
- A store with an immediate offset takes one clock: the data phase overlaps the next instruction.
  With a register offset it takes two, and one right after a load.
- LDM, STM, PUSH, POP, LDRD and STRD take 1 + N and overlap nothing.
- IT is folded into a 16-bit instruction in front of it and then costs nothing.
- A jump that is taken adds P clocks, 1 to 3 in the manuals ("depending on the alignment and width
  of the target instruction, and whether the processor manages to speculate the address early").
  Here P is one number for direct and one for indirect jumps.
- A division takes 2 to 12 clocks in the manuals, depending on the operands; here always 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smidgen.emulate.cycle_models.cost import BlockCost
from smidgen.emulate.disassembly import Instruction

_LOADS = frozenset({"ldr", "ldrb", "ldrh", "ldrsb", "ldrsh"})
_STORES = frozenset({"str", "strb", "strh"})
_MULTIPLE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop"})
_FP_MULTIPLE = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_DIRECT = frozenset({"b", "bl", "cbz", "cbnz"})

DIVIDE_CLOCKS = 7


@dataclass(frozen=True, slots=True)
class Timing:
    """What differs: clocks of named instructions, and of refilling the pipeline after a jump."""

    fixed: Mapping[str, int]
    direct_refill: int
    indirect_refill: int


def block_cost(block: Sequence[Instruction], timing: Timing) -> BlockCost:
    """The clocks of `block`."""
    straight = 0
    before: Instruction | None = None
    for instruction in block:
        straight += _clocks(instruction, before, timing)
        before = instruction
    return BlockCost(straight=straight, taken=refill(block[-1], timing))


def refill(last: Instruction, timing: Timing) -> int:
    """The clocks that a jump by `last` adds; 0 where it is no jump."""
    if last.name in _DIRECT:
        return timing.direct_refill
    is_indirect = last.name in ("bx", "blx", "tbb", "tbh") or "pc" in last.writes
    return timing.indirect_refill if is_indirect else 0


def _clocks(instruction: Instruction, before: Instruction | None, timing: Timing) -> int:
    name = instruction.name
    if name in _LOADS:
        return 1 if _overlaps(instruction, before) else 2
    if name in _STORES:
        is_simple = len(instruction.address_registers) < 2
        return 1 if is_simple or _overlaps(instruction, before) else 2
    if name == "it":
        return 0 if before is not None and before.bytes == 2 else 1
    if name in _MULTIPLE or name in _FP_MULTIPLE:
        return 1 + _words(instruction)
    return timing.fixed.get(name, 1) + _is_double_transfer(instruction)


def _overlaps(instruction: Instruction, before: Instruction | None) -> bool:
    if before is None or before.name not in _LOADS:
        return False
    return not before.writes & instruction.address_registers


def _words(instruction: Instruction) -> int:
    return sum(2 if register.startswith("d") else 1 for register in instruction.listed)


def _is_double_transfer(instruction: Instruction) -> int:
    """VLDR and VSTR of a double register move one word more."""
    return int(instruction.name in ("vldr", "vstr") and instruction.operands.startswith("d"))
