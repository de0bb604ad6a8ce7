"""Which address each load and store of linked code reaches, read off its operands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from smidgen.emulate.linked.disassembly import Instruction, disassemble
from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.linked.registers import register_number
from smidgen.targets.catalogue import Core

NO_REGISTER = -1
_ARM_BYTES = {
    **dict.fromkeys(("ldrb", "ldrsb", "strb", "ldrbt", "ldrsbt", "strbt", "ldrexb", "strexb"), 1),
    **dict.fromkeys(("ldrh", "ldrsh", "strh", "ldrht", "ldrsht", "strht", "ldrexh", "strexh"), 2),
    **dict.fromkeys(("ldr", "str", "ldrt", "strt", "ldrex", "strex"), 4),
    **dict.fromkeys(("ldrd", "strd"), 8),
    **dict.fromkeys(("ldab", "stlb", "ldaexb", "stlexb", "tbb"), 1),
    **dict.fromkeys(("ldah", "stlh", "ldaexh", "stlexh", "tbh"), 2),
    **dict.fromkeys(("lda", "stl", "ldaex", "stlex"), 4),
}
_RISCV_BYTES = {
    **dict.fromkeys(("lb", "lbu", "sb"), 1),
    **dict.fromkeys(("lh", "lhu", "sh"), 2),
    **dict.fromkeys(("lw", "sw", "flw", "fsw"), 4),
    **dict.fromkeys(("fld", "fsd"), 8),
}
_BYTES = {**_ARM_BYTES, **_RISCV_BYTES}
_ATOMIC = re.compile(r"(lr|sc|amo\w+)\.w(\.\w+)*")
_FLOAT = ("vldr", "vstr")
_MULTIPLE = re.compile(r"v?(ldm|stm)\w*|v?(push|pop)")
_STORES = ("st", "vst", "push", "vpush", "sb", "sh", "sw", "sc", "fsw", "fsd", "amo")
# [base], [base, #offset], [base, index], [base, index, lsl #shift]
_ARM_ADDRESS = re.compile(
    r"\[(?P<base>\w+)(?:, #(?P<offset>-?\w+)|, (?P<index>\w+)(?:, lsl #(?P<shift>\w+))?)?\]"
)
_RISCV_ADDRESS = re.compile(r"(?P<offset>-?\w+)?\((?P<base>\w+)\)")
_MULTIPLE_BASE = re.compile(r"(\w+)!?, \{")


@dataclass(frozen=True, slots=True)
class Access:
    """The instruction at `pc` reaches `bytes` at base + (index << shift) + offset.

    `base` and `index` are the emulator's numbers of registers, or NO_REGISTER.
    """

    pc: int
    base: int
    index: int
    shift: int
    offset: int
    bytes: int
    is_load: bool
    is_store: bool


def accesses(code: tuple[Image, ...], core: Core) -> Iterator[Access]:
    """Every load and store in `code`."""
    for piece in code:
        for instruction in disassemble(core, piece.content, piece.address):
            found = access_of(instruction, core)
            if found:
                yield found


def access_of(instruction: Instruction, core: Core) -> Access | None:
    """What `instruction` reaches; None where it is no load or store."""
    if _MULTIPLE.fullmatch(instruction.name):
        return _multiple(instruction, core)
    count = _bytes(instruction)
    pattern = _ARM_ADDRESS if core.is_arm else _RISCV_ADDRESS
    found = pattern.search(instruction.operands) if count else None
    if found is None:
        return None
    parts = found.groupdict()
    base, offset = _base(instruction, core, parts["base"], int(parts["offset"] or "0", 0))
    index = parts.get("index")
    return Access(
        pc=instruction.address,
        base=base,
        index=register_number(core, index) if index else NO_REGISTER,
        shift=int(parts.get("shift") or "0", 0) or int(instruction.name == "tbh"),
        offset=offset,
        bytes=count,
        is_load=_is_load(instruction),
        is_store=instruction.name.startswith(_STORES),
    )


def _bytes(instruction: Instruction) -> int:
    if instruction.name in _FLOAT:
        return 8 if instruction.operands.startswith("d") else 4
    return 4 if _ATOMIC.fullmatch(instruction.name) else _BYTES.get(instruction.name, 0)


def _is_load(instruction: Instruction) -> bool:
    """An atomic operation on memory loads and stores."""
    return not instruction.name.startswith(_STORES) or instruction.name.startswith("amo")


def _base(instruction: Instruction, core: Core, name: str, offset: int) -> tuple[int, int]:
    """A literal's address is known: the program counter reads as 4 ahead, on a whole word."""
    if name == "pc":
        ahead = instruction.address + 4
        return NO_REGISTER, (ahead if instruction.name.startswith("tb") else ahead & ~3) + offset
    return register_number(core, name), offset


def _multiple(instruction: Instruction, core: Core) -> Access:
    words = sum(2 if name.startswith("d") else 1 for name in instruction.listed)
    found = _MULTIPLE_BASE.search(instruction.operands)
    goes_down = instruction.name.endswith(("push", "db"))
    return Access(
        pc=instruction.address,
        base=register_number(core, found.group(1) if found else "sp"),
        index=NO_REGISTER,
        shift=0,
        offset=-4 * words if goes_down else 0,
        bytes=4 * words,
        is_load=_is_load(instruction),
        is_store=instruction.name.startswith(_STORES),
    )
