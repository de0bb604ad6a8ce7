"""Registers by the names that the disassembler prints and the numbers that the emulator uses."""

from __future__ import annotations

from unicorn import arm_const, riscv_const

from smidgen.targets.catalogue import Core

_ARM_ALIASES = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12"}


def register_number(core: Core, name: str) -> int:
    """The emulator's number of the integer register `name` ("r0", "fp", "a0")."""
    if core.is_arm:
        return int(getattr(arm_const, f"UC_ARM_REG_{_ARM_ALIASES.get(name, name).upper()}"))
    return int(getattr(riscv_const, f"UC_RISCV_REG_{name.upper()}"))
