"""What an instruction of any core does to the stack pointer, and where execution goes from it."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.emulate.linked.disassembly import Instruction
from smidgen.emulate.stack.aarch64 import aarch64_step
from smidgen.emulate.stack.arm import arm_step
from smidgen.emulate.stack.riscv import riscv_step
from smidgen.emulate.stack.step import ReadWord, Step
from smidgen.targets.catalogue import Core

_STOPS = frozenset({"udf", "bkpt", "unimp", "ebreak", "brk"})


def step_of(block: Sequence[Instruction], core: Core, word: ReadWord) -> Step:
    """The step of the last instruction of `block`; those before it tell a register's value.

    `word` reads constants from between the code.
    """
    if block[-1].name in _STOPS:
        return Step()
    if core.is_riscv:
        return riscv_step(block)
    return aarch64_step(block) if core.is_aarch64 else arm_step(block, word)
