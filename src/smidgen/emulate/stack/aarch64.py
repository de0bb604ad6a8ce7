"""Steps of AArch64 code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.stack.step import LOOK_BACK, MOVES_BY_UNKNOWN, POINTER, Step, number

_BRANCHES = frozenset({"cbz", "cbnz", "tbz", "tbnz"})
_WRITE_BACK = re.compile(r"\[sp, #(-?(?:0x)?[0-9a-f]+)\]!")
_POST_INDEX = re.compile(r"\[sp\], #(-?(?:0x)?[0-9a-f]+)")
_SHIFTED = re.compile(r"#(0x[0-9a-f]+|\d+), lsl #(\d+)$")


def aarch64_step(block: Sequence[Instruction]) -> Step:
    """As `step_of`."""
    last = block[-1]
    behind = last.address + last.bytes
    if last.name == "bl":
        return Step(calls=(_target(last),), next=(behind,))
    if last.name == "blr":
        return Step(problem=POINTER)
    if last.name in ("b", *_BRANCHES):
        otherwise = () if last.mnemonic == "b" else (behind,)
        return Step(next=(_target(last), *otherwise))
    if last.name in ("ret", "br"):
        return Step(goes_anywhere=last.name == "br")
    if "sp" not in last.writes:
        return Step(next=(behind,))
    pushed = _pushes(block)
    return Step(problem=MOVES_BY_UNKNOWN) if pushed is None else Step(pushed, next=(behind,))


def _target(last: Instruction) -> int:
    target = number(last.operands.rpartition(" ")[2])
    assert target is not None
    return target


def _pushes(block: Sequence[Instruction]) -> int | None:
    """The bytes by which the last instruction lowers the stack pointer; None where not known."""
    last = block[-1]
    if last.name in ("sub", "add") and last.operands.startswith("sp, sp, "):
        by = _amount(last.operands.removeprefix("sp, sp, "), block[:-1])
        return by if by is None or last.name == "sub" else -by
    found = _WRITE_BACK.search(last.operands) or _POST_INDEX.search(last.operands)
    return -int(found.group(1), 0) if found else None


def _amount(operand: str, before: Sequence[Instruction]) -> int | None:
    shifted = _SHIFTED.match(operand)
    if shifted:
        return int(shifted[1], 0) << int(shifted[2])
    return number(operand) if operand.startswith("#") else _value_of(operand, before)


def _value_of(register: str, before: Sequence[Instruction]) -> int | None:
    """The constant that MOV, perhaps with MOVK, has put into `register`."""
    high = 0
    wide = "x" + register[1:]
    for each in reversed(before[-LOOK_BACK:]):
        if wide not in each.writes:
            continue
        by = each.operands.partition(", ")[2]
        value = _amount(by, ()) if by.startswith("#") else None
        if value is None or each.name not in ("mov", "movz", "movk"):
            return None
        if each.name != "movk":
            return high | value
        high |= value
    return None
