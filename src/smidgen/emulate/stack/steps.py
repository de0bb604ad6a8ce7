"""What one instruction does to the stack pointer, and where execution goes from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.targets.catalogue import Core

_NUMBER = re.compile(r"#?(-?)(0x[0-9a-f]+|\d+)$")
_LITERAL = re.compile(r"\[pc(?:, #(-?(?:0x)?[0-9a-f]+))?\]")
_WRITE_BACK = re.compile(r"\[sp, #(-?(?:0x)?[0-9a-f]+)\]!")
_POST_INDEX = re.compile(r"\[sp\], #(-?(?:0x)?[0-9a-f]+)")
_LOOK_BACK = 8
_PUSHES = frozenset({"push", "vpush", "stmdb", "vstmdb"})
_POPS = frozenset({"pop", "vpop", "ldm", "vldmia"})
_STOPS = frozenset({"udf", "bkpt", "unimp", "ebreak"})
_RISCV_BRANCHES = frozenset(
    ("beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez", "blez", "bgez", "bltz", "bgtz")
)
_MOVES_BY_UNKNOWN = "moves the stack pointer by what is not a constant"
_POINTER = "calls through a pointer"

ReadWord = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: bytes pushed (popped where negative), what it calls, what may run next.

    `goes_anywhere` marks a jump to a register: a table's, or a pointer's. `problem` says why
    nothing can be told.
    """

    pushes: int = 0
    calls: tuple[int, ...] = ()
    next: tuple[int, ...] = ()
    goes_anywhere: bool = False
    problem: str = ""


def step_of(block: Sequence[Instruction], core: Core, word: ReadWord) -> Step:
    """The step of the last instruction of `block`; those before it tell a register's value.

    `word` reads constants from between the code.
    """
    if block[-1].name in _STOPS:
        return Step()
    return _arm(block, word) if core.is_arm else _riscv(block)


def _arm(block: Sequence[Instruction], word: ReadWord) -> Step:
    last = block[-1]
    behind = last.address + last.bytes
    if last.name in ("bl", "blx"):
        target = _number(last.operands)
        known = Step(calls=(target,), next=(behind,)) if target is not None else None
        return known or Step(problem=_POINTER)
    if last.name in ("b", "cbz", "cbnz"):
        return _arm_branch(last, behind)
    if "pc" in last.writes or last.name in ("bx", "tbb", "tbh"):
        returns = last.name in _POPS or "[sp" in last.operands or last.operands == "lr"
        return Step(next=_else(last, behind), goes_anywhere=not returns)
    if not _moves_stack(last):
        return Step(next=(behind,))
    pushed = _arm_pushes(block, word)
    return Step(problem=_MOVES_BY_UNKNOWN) if pushed is None else Step(pushed, next=(behind,))


def _moves_stack(last: Instruction) -> bool:
    """Capstone does not list the stack pointer with VPUSH and VPOP."""
    return "sp" in last.writes or last.name in ("vpush", "vpop")


def _else(last: Instruction, behind: int) -> tuple[int, ...]:
    """Where a jump goes on if it has a condition that does not hold."""
    return () if last.mnemonic.removesuffix(".w") == last.name else (behind,)


def _arm_branch(last: Instruction, behind: int) -> Step:
    target = _number(last.operands.rpartition(" ")[2])
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
        value = _number(by) if by.startswith("#") else _value_of(by, block[:-1], word)
        sign = 1 if last.name.startswith("sub") else -1
        return None if value is None else sign * value
    found = _WRITE_BACK.search(last.operands) or _POST_INDEX.search(last.operands)
    return -int(found.group(1), 0) if found else None


def _value_of(register: str, before: Sequence[Instruction], word: ReadWord) -> int | None:
    """The constant that `register` was last given, if one of the last instructions tells."""
    high = 0
    for each in reversed(before[-_LOOK_BACK:]):
        if register not in each.writes:
            continue
        if each.name == "movt":
            high = (_number(each.operands.rpartition(" ")[2]) or 0) << 16
            continue
        literal = _LITERAL.search(each.operands)
        if each.name == "ldr" and literal:
            offset = int(literal.group(1) or "0", 0)
            return _signed(word(((each.address + 4) & ~3) + offset))
        by = each.operands.rpartition(" ")[2]
        value = _number(by) if by.startswith("#") and each.name.startswith("mov") else None
        return None if value is None else _signed(high | value)
    return None


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 & 1 else value


def _riscv(block: Sequence[Instruction]) -> Step:
    last = block[-1]
    behind = last.address + last.bytes
    if last.name in ("jal", "j"):
        return _riscv_jump(last, behind)
    if last.name in _RISCV_BRANCHES:
        target = last.address + (_number(last.operands.rpartition(" ")[2]) or 0)
        return Step(next=(target, behind))
    if last.name in ("jalr", "jr"):
        return _riscv_indirect(block, behind)
    if last.name == "ret":
        return Step()
    if "sp" not in last.writes:
        return Step(next=(behind,))
    pushed = _riscv_pushes(block)
    return Step(problem=_MOVES_BY_UNKNOWN) if pushed is None else Step(pushed, next=(behind,))


def _riscv_jump(last: Instruction, behind: int) -> Step:
    target = last.address + (_number(last.operands.rpartition(" ")[2]) or 0)
    if last.mnemonic.endswith("jal"):  # J is a JAL that links nothing
        return Step(calls=(target,), next=(behind,))
    return Step(next=(target,))


def _riscv_indirect(block: Sequence[Instruction], behind: int) -> Step:
    """JALR and JR: a far call or jump by AUIPC, a return, or a jump to what a register holds."""
    last = block[-1]
    far = _far_target(block)
    links = last.name == "jalr" and not last.operands.startswith("zero")
    if far is not None:
        return Step(calls=(far,), next=(behind,)) if links else Step(next=(far,))
    if links:
        return Step(problem=_POINTER)
    return Step(goes_anywhere=last.operands.split(",")[0] != "ra")


def _far_target(block: Sequence[Instruction]) -> int | None:
    if len(block) < 2 or block[-2].name != "auipc":
        return None
    upper = _number(block[-2].operands.rpartition(" ")[2])
    base, _, offset = block[-1].operands.rpartition(", ")
    lower = _number(offset)
    if upper is None or lower is None or base.rpartition(" ")[2] not in block[-2].writes:
        return None
    return (block[-2].address + (upper << 12) + lower) & 0xFFFF_FFFF


def _riscv_pushes(block: Sequence[Instruction]) -> int | None:
    last = block[-1]
    by = last.operands.rpartition(" ")[2]
    if last.name in ("addi", "addi16sp"):
        value = _number(by)
        return None if value is None else -value
    if last.name in ("sub", "add"):
        given = _riscv_value(by, block[:-1])
        return None if given is None else given if last.name == "sub" else -given
    return None


def _riscv_value(register: str, before: Sequence[Instruction]) -> int | None:
    """The constant that LI, or LUI and ADDI, have put into `register`."""
    added = 0
    for each in reversed(before[-_LOOK_BACK:]):
        if register not in each.writes:
            continue
        number = _number(each.operands.rpartition(" ")[2])
        if number is None or each.name not in ("li", "lui", "addi"):
            return None
        if each.name == "lui":
            return _signed(number << 12 & 0xFFFF_FFFF) + added
        added += number
        if each.name == "li" or ", zero," in each.operands:
            return added
    return None


def _number(text: str) -> int | None:
    found = _NUMBER.match(text.strip())
    if not found:
        return None
    value = int(found.group(2), 0)
    return -value if found.group(1) else value
