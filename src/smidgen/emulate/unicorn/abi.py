"""How a function is called on each kind of core: registers, arguments and return address."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unicorn import (
    UC_ARCH_ARM,
    UC_ARCH_RISCV,
    UC_ERR_INSN_INVALID,
    UC_MODE_RISCV32,
    UC_MODE_THUMB,
    Uc,
    arm_const,
)
from unicorn import riscv_const as riscv

from smidgen.core.errors import EmulationError
from smidgen.targets.catalogue import Core

MOST_ARGUMENTS = 8
_WORD_MASK = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Abi:
    """A calling convention, and how the emulator is opened for the core."""

    architecture: int
    mode: int
    model: int
    arguments: tuple[int, ...]
    result: int
    pc: int
    sp: int
    link: int
    code_bit: int
    exceptions: Mapping[int, str]
    setup: Mapping[int, int]
    exception_pc_offset: int  # how far behind the instruction the emulator reports an exception

    def stopped(self, error: int) -> str:
        """What it means that the emulator gave up with Unicorn's `error`."""
        if error == UC_ERR_INSN_INVALID:
            return "undefined instruction"
        return f"the emulator gave up (Unicorn error {error})"

    def open(self) -> Uc:
        """A fresh engine of the right core."""
        engine = Uc(self.architecture, self.mode)
        engine.ctl_set_cpu_model(self.model)
        for register, value in self.setup.items():
            engine.reg_write(register, engine.reg_read(register) | value)
        return engine

    def code_address(self, address: int) -> int:
        """`address` as a jump target (Thumb code has the low bit set)."""
        return address | self.code_bit

    def prepare_call(self, engine: Uc, args: Sequence[int], trap: int, stack_top: int) -> None:
        """Puts arguments in registers, the rest on the stack, and `trap` as return address."""
        if len(args) > MOST_ARGUMENTS:
            raise EmulationError("call", f"has {len(args)} arguments; at most {MOST_ARGUMENTS}")
        words = [arg & _WORD_MASK for arg in args]
        in_registers, on_stack = words[: len(self.arguments)], words[len(self.arguments) :]
        for register, word in zip(self.arguments, in_registers, strict=False):
            engine.reg_write(register, word)
        pushed = struct.pack(f"<{len(on_stack)}I", *on_stack)
        pointer = (stack_top - len(pushed)) & -16
        if pushed:
            engine.mem_write(pointer, pushed)
        engine.reg_write(self.sp, pointer)
        engine.reg_write(self.link, self.code_address(trap))


def abi_for(core: Core) -> Abi:
    """The convention of `core`; raises EmulationError when the core is not emulated."""
    if core.emulator != "unicorn":
        raise EmulationError(
            f"core {core.name!r}",
            f"needs the emulator {core.emulator!r}; this one, Unicorn, does not drive it",
            "let emulators.open_machine choose the emulator",
        )
    if core.is_arm:
        model = core.emulator_model.upper().replace("-", "_")
        return _arm(getattr(arm_const, f"UC_CPU_ARM_{model}"))
    return _riscv(core)


def _arm(model: int) -> Abi:
    """Procedure Call Standard for the Arm Architecture (IHI 0042), 6.1.1 and 6.4.

    The exception numbers are those of the emulator (QEMU, target/arm/cpu.h).
    """
    return Abi(
        architecture=UC_ARCH_ARM,
        mode=UC_MODE_THUMB,
        model=model,
        arguments=tuple(getattr(arm_const, f"UC_ARM_REG_R{i}") for i in range(4)),
        result=arm_const.UC_ARM_REG_R0,
        pc=arm_const.UC_ARM_REG_PC,
        sp=arm_const.UC_ARM_REG_SP,
        link=arm_const.UC_ARM_REG_LR,
        code_bit=1,
        exceptions={
            1: "undefined instruction",
            2: "supervisor call",
            3: "instruction fetch failed",
            4: "unaligned access",
            7: "breakpoint",
            10: "floating-point instruction without an FPU",
            13: "invalid processor state",
            18: "unaligned access",
        },
        setup={},
        exception_pc_offset=0,
    )


def _riscv(core: Core) -> Abi:
    """RISC-V Calling Convention (riscv-elf-psabi, Integer Calling Convention).

    The exception numbers are the mcause codes (Privileged ISA, 3.1.15).
    """
    return Abi(
        architecture=UC_ARCH_RISCV,
        mode=UC_MODE_RISCV32,
        model=riscv.UC_CPU_RISCV32_ANY,
        arguments=tuple(getattr(riscv, f"UC_RISCV_REG_A{i}") for i in range(8)),
        result=riscv.UC_RISCV_REG_A0,
        pc=riscv.UC_RISCV_REG_PC,
        sp=riscv.UC_RISCV_REG_SP,
        link=riscv.UC_RISCV_REG_RA,
        code_bit=0,
        exceptions={
            0: "jump to an unaligned address",
            1: "instruction fetch failed",
            2: "undefined instruction",
            3: "breakpoint",
            4: "unaligned load",
            5: "forbidden load",
            6: "unaligned store",
            7: "forbidden store",
            8: "environment call",
            11: "environment call",
        },
        # mstatus.FS = initial switches the FPU on (Privileged ISA, 3.1.6.6).
        setup={riscv.UC_RISCV_REG_MSTATUS: 0x2000} if "fpu" in core.features else {},
        exception_pc_offset=4,
    )
