"""Steps of RISC-V code."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.stack.step import LOOK_BACK, MOVES_BY_UNKNOWN, POINTER, Step, number, signed

_BRANCHES = frozenset(
    ("beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez", "blez", "bgez", "bltz", "bgtz")
)


def riscv_step(block: Sequence[Instruction]) -> Step:
    """As `step_of`."""
    last = block[-1]
    behind = last.address + last.bytes
    if last.name in ("jal", "j"):
        return _jump(last, behind)
    if last.name in _BRANCHES:
        target = last.address + (number(last.operands.rpartition(" ")[2]) or 0)
        return Step(next=(target, behind))
    if last.name in ("jalr", "jr"):
        return _indirect(block, behind)
    if last.name == "ret":
        return Step()
    if "sp" not in last.writes:
        return Step(next=(behind,))
    pushed = _pushes(block)
    return Step(problem=MOVES_BY_UNKNOWN) if pushed is None else Step(pushed, next=(behind,))


def _jump(last: Instruction, behind: int) -> Step:
    target = last.address + (number(last.operands.rpartition(" ")[2]) or 0)
    if last.mnemonic.endswith("jal"):  # J is a JAL that links nothing
        return Step(calls=(target,), next=(behind,))
    return Step(next=(target,))


def _indirect(block: Sequence[Instruction], behind: int) -> Step:
    """JALR and JR: a far call or jump by AUIPC, a return, or a jump to what a register holds."""
    last = block[-1]
    far = _far_target(block)
    links = last.name == "jalr" and not last.operands.startswith("zero")
    if far is not None:
        return Step(calls=(far,), next=(behind,)) if links else Step(next=(far,))
    if links:
        return Step(problem=POINTER)
    return Step(goes_anywhere=last.operands.split(",")[0] != "ra")


def _far_target(block: Sequence[Instruction]) -> int | None:
    if len(block) < 2 or block[-2].name != "auipc":
        return None
    upper = number(block[-2].operands.rpartition(" ")[2])
    base, _, offset = block[-1].operands.rpartition(", ")
    lower = number(offset)
    if upper is None or lower is None or base.rpartition(" ")[2] not in block[-2].writes:
        return None
    return (block[-2].address + (upper << 12) + lower) & 0xFFFF_FFFF


def _pushes(block: Sequence[Instruction]) -> int | None:
    last = block[-1]
    by = last.operands.rpartition(" ")[2]
    if last.name in ("addi", "addi16sp"):
        value = number(by)
        return None if value is None else -value
    if last.name in ("sub", "add"):
        given = _value(by, block[:-1])
        return None if given is None else given if last.name == "sub" else -given
    return None


def _value(register: str, before: Sequence[Instruction]) -> int | None:
    """The constant that LI, or LUI and ADDI, have put into `register`."""
    added = 0
    for each in reversed(before[-LOOK_BACK:]):
        if register not in each.writes:
            continue
        value = number(each.operands.rpartition(" ")[2])
        if value is None or each.name not in ("li", "lui", "addi"):
            return None
        if each.name == "lui":
            return signed(value << 12 & 0xFFFF_FFFF) + added
        added += value
        if each.name == "li" or ", zero," in each.operands:
            return added
    return None
