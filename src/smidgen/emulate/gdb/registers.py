"""The registers of a core as GDB knows them: their numbers, and the target description in XML.

Features and names are those of "Debugging with GDB", G.5 Standard Target Features: Arm M-profile
(`org.gnu.gdb.arm.m-profile`, `.vfp`) and RISC-V (`org.gnu.gdb.riscv.cpu`, `.fpu`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unicorn import arm_const
from unicorn import riscv_const as riscv

from smidgen.targets.catalogue import Board, Core

_FLASH_BLOCK_BYTES = 1024
_RISCV_NAMES = [
    "zero",
    "ra",
    "sp",
    "gp",
    "tp",
    "t0",
    "t1",
    "t2",
    "fp",
    "s1",
    "a0",
    "a1",
    "a2",
    "a3",
    "a4",
    "a5",
    "a6",
    "a7",
    "s2",
    "s3",
    "s4",
    "s5",
    "s6",
    "s7",
    "s8",
    "s9",
    "s10",
    "s11",
    "t3",
    "t4",
    "t5",
    "t6",
]
_RISCV_FLOAT_NAMES = [
    "ft0",
    "ft1",
    "ft2",
    "ft3",
    "ft4",
    "ft5",
    "ft6",
    "ft7",
    "fs0",
    "fs1",
    "fa0",
    "fa1",
    "fa2",
    "fa3",
    "fa4",
    "fa5",
    "fa6",
    "fa7",
    "fs2",
    "fs3",
    "fs4",
    "fs5",
    "fs6",
    "fs7",
    "fs8",
    "fs9",
    "fs10",
    "fs11",
    "ft8",
    "ft9",
    "ft10",
    "ft11",
]
_RV32E_REGISTERS = 16


@dataclass(frozen=True, slots=True)
class Register:
    """A register: GDB's name, number and type for it, its size, and the emulator's number."""

    name: str
    number: int
    bytes: int
    kind: str
    unicorn: int


@dataclass(frozen=True, slots=True)
class Feature:
    """Registers that GDB knows under one name."""

    name: str
    registers: tuple[Register, ...]


def features_of(core: Core) -> tuple[Feature, ...]:
    """The registers that `core` has, in the order of their numbers."""
    return tuple(_arm(core) if core.is_arm else _riscv(core))


def _arm(core: Core) -> Iterator[Feature]:
    names = [*(f"r{i}" for i in range(13)), "sp", "lr", "pc"]
    kinds = [*["int"] * 13, "data_ptr", "int", "code_ptr"]
    rows = [
        Register(name, number, 4, kind, getattr(arm_const, f"UC_ARM_REG_{name.upper()}"))
        for number, (name, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    rows.append(Register("xpsr", 25, 4, "int", arm_const.UC_ARM_REG_XPSR))
    yield Feature("org.gnu.gdb.arm.m-profile", tuple(rows))
    if "fpu" in core.features:
        doubles = [
            Register(f"d{i}", 26 + i, 8, "ieee_double", getattr(arm_const, f"UC_ARM_REG_D{i}"))
            for i in range(16)
        ]
        status = Register("fpscr", 42, 4, "int", arm_const.UC_ARM_REG_FPSCR)
        yield Feature("org.gnu.gdb.arm.vfp", (*doubles, status))


def _riscv(core: Core) -> Iterator[Feature]:
    count = _RV32E_REGISTERS if core.isa.startswith("rv32e") else len(_RISCV_NAMES)
    rows = [
        Register(name, number, 4, _riscv_kind(name), getattr(riscv, f"UC_RISCV_REG_X{number}"))
        for number, name in enumerate(_RISCV_NAMES[:count])
    ]
    rows.append(Register("pc", 32, 4, "code_ptr", riscv.UC_RISCV_REG_PC))
    yield Feature("org.gnu.gdb.riscv.cpu", tuple(rows))
    if "fpu" in core.features:
        size, kind = (8, "ieee_double") if "fpu-double" in core.features else (4, "ieee_single")
        floats = [
            Register(name, 33 + i, size, kind, getattr(riscv, f"UC_RISCV_REG_F{i}"))
            for i, name in enumerate(_RISCV_FLOAT_NAMES)
        ]
        states = [
            Register(name, 66 + i, 4, "int", getattr(riscv, f"UC_RISCV_REG_{name.upper()}"))
            for i, name in enumerate(("fflags", "frm", "fcsr"))
        ]
        yield Feature("org.gnu.gdb.riscv.fpu", (*floats, *states))


def _riscv_kind(name: str) -> str:
    return {"ra": "code_ptr", "sp": "data_ptr", "gp": "data_ptr", "fp": "data_ptr"}.get(name, "int")


def target_description(core: Core, features: tuple[Feature, ...]) -> str:
    """The document that GDB asks for as `target.xml`."""
    architecture = "arm" if core.is_arm else "riscv:rv32"
    return "\n".join(
        [
            '<?xml version="1.0"?>',
            '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
            '<target version="1.0">',
            f"<architecture>{architecture}</architecture>",
            *map(_feature, features),
            "</target>",
            "",
        ]
    )


def _feature(feature: Feature) -> str:
    rows = [
        f'<reg name="{each.name}" bitsize="{8 * each.bytes}" regnum="{each.number}" '
        f'type="{each.kind}"/>'
        for each in feature.registers
    ]
    return "\n".join([f'<feature name="{feature.name}">', *rows, "</feature>"])


def memory_map(board: Board) -> str:
    """The document that tells GDB which addresses are flash and RAM."""
    block = f'<property name="blocksize">{_FLASH_BLOCK_BYTES:#x}</property>'
    rows = [
        *(f'<memory type="flash" {_span(each.address, each.bytes)}>{block}</memory>'
          for each in board.flash),
        *(f'<memory type="ram" {_span(each.address, each.bytes)}/>' for each in board.ram),
    ]  # fmt: skip
    head = '<!DOCTYPE memory-map SYSTEM "gdb-memory-map.dtd">'
    return "\n".join(['<?xml version="1.0"?>', head, "<memory-map>", *rows, "</memory-map>", ""])


def _span(address: int, count: int) -> str:
    return f'start="{address:#x}" length="{count:#x}"'
