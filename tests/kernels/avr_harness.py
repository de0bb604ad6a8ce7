"""Runs kernel cases on simavr, as many at once as surely fit in its flash."""

from __future__ import annotations

from collections.abc import Sequence

from kernels.harness import Case, Placed, emit, place, verify
from smidgen.compiler.sharing import Style
from smidgen.emulate.avr.machine import SimavrMachine
from smidgen.emulate.program import FirmwareSources
from smidgen.ops.spaces import HARVARD
from support.avr import roomy

_CASES = 12
_MOST_ARENA_BYTES = 12_000


def check_on_avr(cases: Sequence[Case], *, style: Style = Style.SHARED) -> list[int]:
    """Assert that each case that fits in 12 KB is exact; the cycles of each."""
    placed = [place(case, roomy().core) for case in cases]
    fitting = [each for each in placed if len(each.arena) <= _MOST_ARENA_BYTES]
    assert len(fitting) > len(placed) // 2
    batches = (fitting[at : at + _CASES] for at in range(0, len(fitting), _CASES))
    return [cycles for batch in batches for cycles in _run(batch, style)]


def _run(placed: Sequence[Placed], style: Style) -> list[int]:
    size = max(len(each.arena) for each in placed)
    arena = f"#include <stdint.h>\nuint8_t arena[{size}];\n"
    entries = tuple(f"case{index}_run" for index in range(len(placed)))
    sources = {**emit(placed, style, HARVARD), "arena.c": arena}
    machine = SimavrMachine(FirmwareSources(sources, (*entries, "arena")).link(roomy()), roomy())
    address, _ = machine.symbol("arena")
    cycles = []
    for each, entry in zip(placed, entries, strict=True):
        machine.write(address, each.arena)
        machine.clear_counts()
        machine.call(entry, address)
        cycles.append(machine.counts().modelled_cycles or 0)
        verify(each, machine.read(address, len(each.arena)))
    return cycles
