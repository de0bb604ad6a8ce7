"""Vector instructions (MVE) by their encoding, since the disassembler does not know them.

Source: Armv8-M Architecture Reference Manual (DDI 0553), C2.4: the encoding space of coprocessors
14 and 15, and the branches of low-overhead loops.
"""

from __future__ import annotations

from smidgen.emulate.linked.disassembly import Instruction

LOAD, MULTIPLY, INTEGER, LOOP = "vector-load", "vector-multiply", "vector-integer", "loop"
_PRODUCTS = ("vmul", "vmla", "vfma", "vqdmul", "vqrdmul", "vcmp", "vadd.f", "vsub.f")


def vector_kind(instruction: Instruction) -> str:
    """The pipe that a vector instruction goes down, LOOP for the end of a loop, "" for others."""
    if instruction.bytes != 4 or len(instruction.encoding) != 4:
        return ""
    first = int.from_bytes(instruction.encoding[:2], "little")
    second = int.from_bytes(instruction.encoding[2:], "little")
    if first & 0xFFC0 == 0xF000 and second & 0xF001 == 0xC001:
        return LOOP  # LE, LETP and WLS
    if first & 0xEE00 == 0xEC00 and second & 0x0E00 == 0x0E00:
        return LOAD
    if first & 0xEE00 == 0xEE00:
        return _arithmetic(instruction, first, second)
    return ""


def _arithmetic(instruction: Instruction, first: int, second: int) -> str:
    """0xEE.., 0xEF.., 0xFE.. and 0xFF..; those of scalar floats have coprocessors 10 and 11."""
    is_like_neon = first & 0xEF00 == 0xEF00
    if is_like_neon:
        return MULTIPLY if instruction.name.startswith(_PRODUCTS) else INTEGER
    return MULTIPLY if second & 0x0E00 == 0x0E00 else ""
