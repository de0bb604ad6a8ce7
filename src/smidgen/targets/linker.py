"""Linker scripts for a board's memory, and what the linker says when something does not fit.

The stack lies at the very bottom of the first RAM region, below all data, so that an overflow
leaves the RAM and faults at once, where at the top of the RAM it would silently overwrite data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from smidgen.core.errors import DoesNotFit
from smidgen.targets.catalogue import Board, MemoryRegion

STACK_ALIGNMENT_BYTES = 16
_OVERFLOW = re.compile(r"will not fit in region '(\w+)': overflowed by (\d+) bytes")


def linker_script(board: Board, entry_symbols: Sequence[str], stack_bytes: int) -> str:
    """A script that puts code and constants in flash, and stack, data and zeroed data in RAM."""
    code, data = board.flash[0].name, board.ram[0].name
    stack_bytes += -stack_bytes % STACK_ALIGNMENT_BYTES
    return "\n".join(
        [
            *(f"EXTERN({symbol})" for symbol in entry_symbols),
            "MEMORY {",
            *(_memory(region, "rx") for region in board.flash),
            *(_memory(region, "rw") for region in board.ram),
            "}",
            "SECTIONS {",
            f"  .text : {{ *(.text .text.*) }} > {code}",
            f"  .rodata : ALIGN(16) {{ *(.rodata .rodata.* .srodata .srodata.*) }} > {code}",
            f"  .ARM.exidx : {{ *(.ARM.exidx*) }} > {code}",
            "  .stack (NOLOAD) : {",
            f"    __stack_limit = .; . += {stack_bytes}; __stack_top = .;",
            f"  }} > {data}",
            f"  .data : ALIGN(16) {{ *(.data .data.* .sdata .sdata.*) }} > {data} AT > {code}",
            f"  .bss (NOLOAD) : ALIGN(16) {{ *(.bss .bss.* .sbss .sbss.* COMMON) }} > {data}",
            *(_named_section(region) for region in board.ram[1:]),
            "  /DISCARD/ : { *(.comment) *(.eh_frame*) }",
            "}",
            *(f'ASSERT(DEFINED({name}), "there is no symbol {name}")' for name in entry_symbols),
            "",
        ]
    )


def _memory(region: MemoryRegion, access: str) -> str:
    return (
        f"  {region.name} ({access}) : ORIGIN = {region.address:#010x}, LENGTH = {region.bytes:#x}"
    )


def _named_section(region: MemoryRegion) -> str:
    section = f".{region.name}"
    return f"  {section} (NOLOAD) : {{ *({section} {section}.*) }} > {region.name}"


def does_not_fit(board: Board, linker_output: str) -> DoesNotFit | None:
    """The error for the worst overflow of each region that the linker complains of, if any."""
    over: dict[str, int] = {}
    for name, count in _OVERFLOW.findall(linker_output):
        over[name] = max(over.get(name, 0), int(count))
    if not over:
        return None
    flash = {region.name for region in board.flash}
    parts = [
        f"{'flash' if name in flash else 'RAM'} region {name!r} overflows by {count:,} bytes"
        for name, count in over.items()
    ]
    return DoesNotFit(
        f"build for {board.name}",
        " and ".join(parts),
        "choose a smaller model or a board with more memory, or save RAM with --ram-budget",
    )
