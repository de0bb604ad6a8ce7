"""Steps of Thumb code, and of the Arm code of older cores."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.stack.step import (
    LOOK_BACK,
    MOVES_BY_UNKNOWN,
    POINTER,
    ReadWord,
    Step,
    number,
    signed,
)

_LITERAL = re.compile(r"\[pc(?:, #(-?(?:0x)?[0-9a-f]+))?\]")
_WRITE_BACK = re.compile(r"\[sp, #(-?(?:0x)?[0-9a-f]+)\]!")
_POST_INDEX = re.compile(r"\[sp\], #(-?(?:0x)?[0-9a-f]+)")
_PUSHES = frozenset({"push", "vpush", "stmdb", "vstmdb"})
_POPS = frozenset({"pop", "vpop", "ldm", "vldmia"})


def arm_step(block: Sequence[Instruction], word: ReadWord) -> Step:
    """As `step_of`."""
    last = block[-1]
    behind = last.address + last.bytes
    if last.name in ("bl", "blx"):
        target = number(last.operands)
        known = Step(calls=(target,), next=(behind,)) if target is not None else None
        return known or Step(problem=POINTER)
    if last.name in ("b", "cbz", "cbnz"):
        return _arm_branch(last, behind)
    if "pc" in last.writes or last.name in ("bx", "tbb", "tbh"):
        returns = last.name in _POPS or "[sp" in last.operands or last.operands == "lr"
        return Step(next=_else(last, behind), goes_anywhere=not returns)
    if not _moves_stack(last):
        return Step(next=(behind,))
    pushed = _arm_pushes(block, word)
    return Step(problem=MOVES_BY_UNKNOWN) if pushed is None else Step(pushed, next=(behind,))


def _moves_stack(last: Instruction) -> bool:
    """Capstone does not list the stack pointer with VPUSH and VPOP."""
    return "sp" in last.writes or last.name in ("vpush", "vpop")


def _else(last: Instruction, behind: int) -> tuple[int, ...]:
    """Where a jump goes on if it has a condition that does not hold."""
    return () if last.mnemonic.removesuffix(".w") == last.name else (behind,)


def _arm_branch(last: Instruction, behind: int) -> Step:
    target = number(last.operands.rpartition(" ")[2])
    assert target is not None
    otherwise = _else(last, behind) if last.name == "b" else (behind,)
    return Step(next=(target, *otherwise))


def _arm_pushes(block: Sequence[Instruction], word: ReadWord) -> int | None:
    """The bytes by which the last instruction lowers the stack pointer; None where not known."""
    last = block[-1]
    if last.name in _PUSHES or last.name in _POPS:
        moved = sum(8 if register.startswith("d") else 4 for register in last.listed)
        return moved if last.name in _PUSHES else -moved
    if last.name in ("sub", "subw", "add", "addw"):
        by = last.operands.rpartition(" ")[2]
        value = number(by) if by.startswith("#") else _value_of(by, block[:-1], word)
        sign = 1 if last.name.startswith("sub") else -1
        return None if value is None else sign * value
    found = _WRITE_BACK.search(last.operands) or _POST_INDEX.search(last.operands)
    return -int(found.group(1), 0) if found else None


def _value_of(register: str, before: Sequence[Instruction], word: ReadWord) -> int | None:
    """The constant that `register` was last given, if one of the last instructions tells."""
    high = 0
    for each in reversed(before[-LOOK_BACK:]):
        if register not in each.writes:
            continue
        if each.name == "movt":
            high = (number(each.operands.rpartition(" ")[2]) or 0) << 16
            continue
        literal = _LITERAL.search(each.operands)
        if each.name == "ldr" and literal:
            offset = int(literal.group(1) or "0", 0)
            return signed(word(((each.address + 4) & ~3) + offset))
        by = each.operands.rpartition(" ")[2]
        value = number(by) if by.startswith("#") and each.name.startswith("mov") else None
        return None if value is None else signed(high | value)
    return None
