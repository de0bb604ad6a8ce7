"""Runs kernel cases on QEMU: all cases of a batch in one start of it, of a board or of Linux."""

from __future__ import annotations

from collections.abc import Sequence

from kernels.harness import Case, emit, place, verify
from smidgen.compiler.sharing import Style
from smidgen.emulate.linux.machine import LinuxMachine
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.machine import QemuMachine
from smidgen.targets.catalogue import board


def check_on_qemu(
    cases: Sequence[Case], board_name: str = "corstone-300", *, style: Style = Style.SHARED
) -> list[int]:
    """Assert that each case is exact; the instructions of each."""
    target = board(board_name)
    placed = [place(case, target.core) for case in cases]
    size = max(len(each.arena) for each in placed)
    arena = f"#include <stdint.h>\nuint8_t arena[{size}] __attribute__((aligned(16)));\n"
    entries = tuple(f"case{index}_run" for index in range(len(placed)))
    program = FirmwareSources({**emit(placed, style), "arena.c": arena}, (*entries, "arena"))
    machine = (LinuxMachine if target.core.system else QemuMachine)(program, target)
    address, _ = machine.symbol("arena")
    counts = []
    for each, entry in zip(placed, entries, strict=True):
        machine.write(address, each.arena)
        machine.clear_counts()
        machine.call(entry, address)
        counts.append(machine.counts().instructions)
        verify(each, machine.read(address, len(each.arena)))
    return counts
