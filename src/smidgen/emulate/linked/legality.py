"""Checks linked code for instructions that the core lacks, where the emulator might be lax."""

from __future__ import annotations

from functools import lru_cache

from smidgen.core.errors import EmulationError
from smidgen.emulate.linked.disassembly import Instruction, disassemble
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.emulate.linked.vectors import decode
from smidgen.targets.catalogue import Core

# Armv6-M has six 32-bit instructions (Armv6-M ARM, A5.3).
_ARMV6M_LONG = frozenset({"bl", "dmb", "dsb", "isb", "mrs", "msr", "udf"})
# The feature that each of Capstone's groups of Thumb instructions needs.
_ARM_GROUPS = {
    "divide": "div",
    "THUMB2DSP": "dsp",
    "vfp2": "fpu",
    "vfp3": "fpu",
    "vfp4": "fpu",
    "dpvfp": "fpu-double",
    "neon": "neon",
    "mve": "mve",
    "hasStdExtA": "atomic",
}
# The DSP extension as far as Capstone does not group it (Armv7-M ARM, A1.3 and A7.7).
_DSP_PREFIXES = (
    "pkh", "qadd", "qasx", "qdadd", "qdsub", "qsax", "qsub", "sadd", "sasx", "sel", "shadd",
    "shasx", "shsax", "shsub", "smla", "smls", "smmla", "smmls", "smmul", "smua", "smul", "smus",
    "ssat16", "ssax", "ssub", "sxta", "sxtb16", "uadd", "uasx", "uhadd", "uhasx", "uhsax",
    "uhsub", "umaal", "uqadd", "uqasx", "uqsax", "uqsub", "usad", "usat16", "usax", "usub",
    "uxta", "uxtb16",
)  # fmt: skip
_NOT_DSP = frozenset({"smlal", "smull"})
# RISC-V: the M extension, and the registers that the E base has not (unprivileged ISA, chapter 7).
_MULTIPLICATIONS = frozenset(
    ("mul", "mulh", "mulhu", "mulhsu", "div", "divu", "rem", "remu"),
)
_UPPER_HALF = frozenset(
    ("a6", "a7", *(f"s{n}" for n in range(2, 12)), *(f"t{n}" for n in range(3, 7)))
)


@lru_cache(maxsize=16)
def check_instructions(elf: bytes, core: Core) -> None:
    """Raises EmulationError for the first instruction in `elf` that `core` cannot execute."""
    firmware = read_firmware(elf)
    for piece in firmware.code:
        for instruction in disassemble(core, piece.content, piece.address):
            missing = missing_feature(instruction, core)
            if missing:
                function = firmware.function_at(instruction.address)
                raise EmulationError(
                    f"{function.name if function else 'code'} at {instruction.address:#010x}",
                    f"the instruction '{instruction.mnemonic} {instruction.operands}' needs "
                    f"{missing}, which {core.name} lacks",
                    f"compile for {core.name}",
                )


def missing_feature(instruction: Instruction, core: Core) -> str | None:
    """The feature that `core` would need and lacks to execute `instruction`."""
    of_kind = _arm_feature if core.is_arm else _riscv_feature
    needed = of_kind(instruction, core)
    return needed if needed and needed not in core.features else None


def _arm_feature(instruction: Instruction, core: Core) -> str | None:
    if instruction.name == "?":
        return "mve" if decode(instruction.encoding) else None
    for group in instruction.groups:
        feature = _ARM_GROUPS.get(group)
        if feature and feature not in core.features:
            return feature
    if ".f64" in instruction.mnemonic:
        return "fpu-double"
    if instruction.name.startswith("v"):
        return "fpu"
    if _is_dsp(instruction.name):
        return "dsp"
    is_thumb2 = instruction.bytes == 4 or "thumb2" in instruction.groups
    return "thumb2" if is_thumb2 and instruction.name not in _armv6m_long(core) else None


def _armv6m_long(core: Core) -> frozenset[str]:
    return frozenset() if "thumb2" in core.features else _ARMV6M_LONG


def _is_dsp(name: str) -> bool:
    return name.startswith(_DSP_PREFIXES) and name not in _NOT_DSP


def _riscv_feature(instruction: Instruction, core: Core) -> str | None:
    name = instruction.name
    if name.startswith("f") and not name.startswith("fence"):
        return "fpu-double" if name.endswith(".d") or name in ("fld", "fsd") else "fpu"
    if name.startswith(("amo", "lr.", "sc.")):
        return "atomic"
    if name in _MULTIPLICATIONS:
        return "div"  # M is one extension: the core has both or neither
    if core.isa.startswith("rv32e") and (instruction.reads | instruction.writes) & _UPPER_HALF:
        return "registers x16 to x31"
    return "compressed" if instruction.bytes == 2 else None
