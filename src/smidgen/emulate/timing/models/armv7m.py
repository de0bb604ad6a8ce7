"""The rules that Cortex-M3 and Cortex-M4 share: three stages, in order, one at a time.

Sources: the table of instructions and the section "Load/store timings" in chapter 3.3 of the
Cortex-M3 (DDI 0337) and Cortex-M4 (DDI 0439) Technical Reference Manuals. Chip makers print the
same sections in their own manuals (Texas Instruments SWCU192, "Load/Store Timings").

- Most instructions take one clock.
- A load takes two. Right after another load whose result is not its address it takes one, because
  address and data phases overlap.
- A load or store whose address comes from the data-processing instruction right before it waits
  one clock: nothing forwards the result.
- A store with an immediate offset takes one clock: the data phase overlaps the next instruction.
  With a register offset it takes two, and one right after a load.
- LDM, STM, PUSH, POP, LDRD and STRD take 1 + N and overlap nothing.
- IT is folded into a 16-bit instruction in front of it and then costs nothing.
- A jump that is taken adds P clocks, 1 to 3 in the manuals ("depending on the alignment and width
  of the target instruction, and whether the processor manages to speculate the address early").
  Here P is one number for direct and one for indirect jumps. A load into the program counter takes
  2 + 3, TBB and TBH 2 + 1 + 3.
- Loads and stores at unaligned addresses take one or two clocks more; that is not modelled.
- A division takes 2 to 12 clocks in the manuals, depending on the operands; here always 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.timing.models.cost import BlockCost

_LOADS = frozenset({"ldr", "ldrb", "ldrh", "ldrsb", "ldrsh"})
_STORES = frozenset({"str", "strb", "strh"})
_MULTIPLE = frozenset({"ldm", "ldmdb", "stm", "stmdb", "push", "pop"})
_FP_MULTIPLE = frozenset({"vldmia", "vldmdb", "vstmia", "vstmdb", "vpush", "vpop"})
_DIRECT = frozenset({"b", "bl", "cbz", "cbnz"})

_TABLES = frozenset({"tbb", "tbh"})

DIVIDE_CLOCKS = 7
LOADED_REFILL = 3


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
        straight += _clocks(instruction, before, timing) + _waits_for_address(instruction, before)
        before = instruction
    return BlockCost(straight=straight, taken=refill(block[-1], timing))


def refill(last: Instruction, timing: Timing) -> int:
    """The clocks that a jump by `last` adds; 0 where it is no jump."""
    if last.name in _DIRECT:
        return timing.direct_refill
    if last.name in _LOADS and "pc" in last.writes:
        return LOADED_REFILL
    if last.name in _TABLES:
        return 1 + LOADED_REFILL
    is_indirect = last.name in ("bx", "blx") or "pc" in last.writes
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


def _waits_for_address(instruction: Instruction, before: Instruction | None) -> bool:
    """Whether the address is what the instruction before has just computed."""
    if before is None or before.name in _LOADS or not _is_access(instruction):
        return False
    return bool(before.writes & instruction.address_registers)


def _is_access(instruction: Instruction) -> bool:
    return instruction.name.startswith(("ldr", "str", "vldr", "vstr"))


def _overlaps(instruction: Instruction, before: Instruction | None) -> bool:
    if before is None or before.name not in _LOADS:
        return False
    return not before.writes & instruction.address_registers


def _words(instruction: Instruction) -> int:
    return sum(2 if register.startswith("d") else 1 for register in instruction.listed)


def _is_double_transfer(instruction: Instruction) -> int:
    """VLDR and VSTR of a double register move one word more."""
    return int(instruction.name in ("vldr", "vstr") and instruction.operands.startswith("d"))
