"""Where code must not be unaligned although the emulator lets it be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from smidgen.emulate.linked.disassembly import Instruction, disassemble
from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.linked.registers import register_number
from smidgen.targets.catalogue import Core

# Instructions that fault on any unaligned address, where plain loads and stores do not
# (Armv7-M ARM, A3.2.1): doubles, multiples, exclusives, floating point.
_STRICT = re.compile(r"(ldrd|strd|ldm\w*|stm\w*|vldr|vstr|vldm\w*|vstm\w*|ldrex|strex)$")
_BASE = re.compile(r"\[(\w+)|^(\w+)!?, \{")


@dataclass(frozen=True, slots=True)
class AlignedSite:
    """An instruction that faults unless its base register is a multiple of four.

    All of them add multiples of four to it. `base_register` is the emulator's number.
    """

    address: int
    base_register: int


@lru_cache(maxsize=16)
def aligned_sites(code: tuple[Image, ...], core: Core) -> tuple[AlignedSite, ...]:
    """The sites in the code of a Thumb-2 core; others fault by themselves, or at every access.

    Left out are those whose base is the stack or program counter, which is always aligned, and
    conditional ones, which the emulator reports even if they are not executed.
    """
    if "thumb2" not in core.features:
        return ()
    return tuple(
        site
        for piece in code
        for instruction in disassemble(core, piece.content, piece.address)
        for site in _site(instruction, core)
    )


def _site(instruction: Instruction, core: Core) -> Iterator[AlignedSite]:
    is_conditional = instruction.mnemonic.partition(".")[0] != instruction.name
    base = _BASE.search(instruction.operands)
    if not _STRICT.match(instruction.name) or is_conditional or base is None:
        return
    name = base.group(1) or base.group(2)
    if name not in ("sp", "pc"):
        yield AlignedSite(instruction.address, register_number(core, name))
