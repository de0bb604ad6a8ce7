"""Instructions as the cycle models and the legality check need them, by Capstone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import capstone

from smidgen.emulate.linked.vectors import Vector, decode
from smidgen.targets.catalogue import Core

_ADDRESS = re.compile(r"\[([^\]]*)\]|\((\w+)\)")
_REGISTER = re.compile(r"[a-z]\w+")
_LISTED = re.compile(r"\{([^}]*)\}")
_AARCH64_NAME = re.compile(r"([wbhsdqv])(\d+)")
_ZERO = frozenset({"wzr", "xzr"})
_VECTOR_SUMS = ("mla", "mls", "smla", "umla", "smls", "umls", "sqdmla", "sqdmls", "fmla", "fmls",
                "sdot", "udot", "saba", "uaba", "sada", "uada", "ssra", "usra", "ins",
                "bsl", "bit", "bif", "tbx")  # fmt: skip
_SHIFTED = re.compile(r"(\w+), (?:lsl|lsr|asr|ror) #\w+$")
_SHIFTS = frozenset({"lsl", "lsr", "asr", "ror", "rrx"})
_COMPRESSED = {"lwsp": "lw", "swsp": "sw", "flwsp": "flw", "fswsp": "fsw"}
# RISC-V instructions whose first operand is not written.
_RISCV_NO_RESULT = frozenset(
    (
        "sb", "sh", "sw", "fsw", "beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez", "j",
        "jr", "nop", "fence", "ecall", "ebreak", "unimp",
    )
)  # fmt: skip

_Encoding = bytes


@dataclass(frozen=True, slots=True)
class Instruction:
    """One machine instruction.

    `name` is the operation without condition, width and compression ("ldr", "vadd", "lw");
    `mnemonic` is as a disassembler prints it. Registers are by name; `listed` are those between
    braces, `address_registers` those that a load or store computes its address from. `encoding` are
    the bytes themselves, for what the disassembler does not know.
    """

    address: int
    bytes: int
    name: str
    mnemonic: str
    operands: str
    reads: frozenset[str]
    writes: frozenset[str]
    groups: frozenset[str]
    encoding: _Encoding = b""

    @property
    def address_registers(self) -> frozenset[str]:
        """The registers of the address operand."""
        found = _ADDRESS.search(self.operands)
        inside = (found.group(1) or found.group(2)) if found else ""
        return frozenset(_REGISTER.findall(inside)) - _SHIFTS

    @property
    def shifted_registers(self) -> frozenset[str]:
        """The register of a data-processing operand that is shifted by a constant."""
        found = _SHIFTED.search(self.operands)
        return frozenset({found.group(1)}) if found and "[" not in self.operands else frozenset()

    @property
    def listed(self) -> tuple[str, ...]:
        """The registers of a load or store multiple."""
        found = _LISTED.search(self.operands)
        return tuple(name.strip() for name in found.group(1).split(",")) if found else ()


def disassemble(core: Core, code: bytes, address: int) -> Iterator[Instruction]:
    """The instructions of `code`, which lies at `address`.

    What neither Capstone nor `vectors` knows comes out as an instruction named "?".
    """
    for found in _by_capstone(core, code, address):
        vector = decode(found.encoding) if "mve" in core.features else None
        yield _vector(found, vector) if vector else found


def _vector(found: Instruction, vector: Vector) -> Instruction:
    return replace(
        found,
        name=vector.name,
        mnemonic=vector.name,
        operands="",
        reads=vector.reads,
        writes=vector.writes,
        groups=frozenset({"mve"}),
    )


def _by_capstone(core: Core, code: bytes, address: int) -> Iterator[Instruction]:
    engine = _engine(core)
    offset = 0
    while offset < len(code):
        for found in engine.disasm(code[offset:], address + offset):
            yield _instruction(core, found)
            offset = found.address + found.size - address
        if offset < len(code):
            size = min(_encoded_bytes(core, code[offset:]), len(code) - offset)
            yield _unknown(address + offset, code[offset : offset + size])
            offset += size


def _instruction(core: Core, found: capstone.CsInsn) -> Instruction:
    if core.is_riscv:
        return _riscv(found)
    return _aarch64(found) if core.is_aarch64 else _arm(found)


def _engine(core: Core) -> capstone.Cs:
    if core.is_aarch64:
        engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    elif core.isa == "armv6":
        engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM)
    elif core.is_arm:
        mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
        if core.isa.startswith("armv8") or "fpu-double" in core.features:
            mode |= capstone.CS_MODE_V8
        engine = capstone.Cs(capstone.CS_ARCH_ARM, mode)
    else:
        wide = core.isa.startswith("rv64")
        mode = capstone.CS_MODE_RISCV64 if wide else capstone.CS_MODE_RISCV32
        engine = capstone.Cs(capstone.CS_ARCH_RISCV, mode | capstone.CS_MODE_RISCVC)
    engine.detail = True
    return engine


def _encoded_bytes(core: Core, code: bytes) -> int:
    first = int.from_bytes(code[:2], "little")
    if not (core.is_arm or core.is_riscv):
        return 4
    is_long = first >> 11 >= 0x1D if core.is_arm else first & 3 == 3
    return 4 if is_long else 2


def _unknown(address: int, code: bytes) -> Instruction:
    nothing: frozenset[str] = frozenset()
    return Instruction(address, len(code), "?", "?", "", nothing, nothing, nothing, code)


def _arm(found: capstone.CsInsn) -> Instruction:
    reads, writes = found.regs_access()
    return Instruction(
        address=found.address,
        bytes=found.size,
        name=found.insn_name(),
        mnemonic=found.mnemonic,
        operands=found.op_str,
        reads=frozenset(map(found.reg_name, reads)),
        writes=frozenset(map(found.reg_name, writes)),
        groups=frozenset(map(found.group_name, found.groups)),
        encoding=bytes(found.bytes),
    )


def _aarch64(found: capstone.CsInsn) -> Instruction:
    """Registers are known by their widest name: "x3" for w3, "v3" for b3 to q3.

    What Capstone leaves out is filled in: the registers of lists, of moves to scalars and of dot
    products, and the vector that a product is added to.
    """
    plain = _arm(found)
    reads, writes = _widest(plain.reads), _widest(plain.writes)
    listed = _widest(name.partition(".")[0] for name in plain.listed)
    if listed:
        loads = plain.name.startswith("ld")
        address = _widest(plain.address_registers)
        reads, writes = (address if loads else address | listed), writes & address
        writes |= listed if loads else frozenset()
    elif not reads | writes and plain.name in ("dup", "sdot", "udot"):
        reads, writes = (_widest(_REGISTER.findall(each)) for each in _sides(plain.operands))
    if plain.name.startswith(_VECTOR_SUMS):
        reads |= {name for name in writes if name.startswith("v")}
    return replace(plain, reads=reads, writes=writes)


def _sides(operands: str) -> tuple[str, str]:
    """What is behind the first comma, and what is before it."""
    first, _, others = operands.partition(", ")
    return others, first


def _widest(names: Iterable[str]) -> frozenset[str]:
    names = list(names)
    found = (_AARCH64_NAME.fullmatch(name) for name in names)
    wide = {("x" if each[1] == "w" else "v") + each[2] for each in found if each}
    others = {name for name in names if not _AARCH64_NAME.fullmatch(name)}
    return frozenset(wide | others) - _ZERO


def _riscv(found: capstone.CsInsn) -> Instruction:
    name = found.insn_name().removeprefix("c.")
    name = _COMPRESSED.get(name, name)
    registers = _REGISTER.findall(found.op_str)
    has_result = name not in _RISCV_NO_RESULT and bool(registers)
    # A compressed operation also reads the register that it writes; reading more is harmless.
    overwrites = has_result and not found.mnemonic.startswith("c.")
    return Instruction(
        address=found.address,
        bytes=found.size,
        name=name,
        mnemonic=found.mnemonic,
        operands=found.op_str,
        reads=frozenset(registers[1:] if overwrites else registers),
        writes=frozenset(registers[:1]) if has_result else frozenset(),
        groups=frozenset(map(found.group_name, found.groups)),
        encoding=bytes(found.bytes),
    )
