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
_VECTOR_BYTES = 4
INITIALISED_SECTION = ".initialised"
"""Data and constants in RAM; avr-gcc would put a section called .data where it likes."""
# As lld and as GNU ld say it.
_OVERFLOW = re.compile(
    r"(?:will not fit in region '(\w+)': overflowed by|region `(\w+)' overflowed by) (\d+) bytes"
)

_ARRAY_TOO_LARGE = re.compile(r"size of array .(\w+). is too large")
_WAY_OUT = "choose a smaller model or a board with more memory, or save RAM with --ram-budget"


def linker_script(board: Board, entry_symbols: Sequence[str], stack_bytes: int) -> str:
    """A script that puts code and constants in flash, and stack, data and zeroed data in RAM.

    On a core of Harvard architecture, whose loads do not reach the flash, constants are data, but
    for those that the C reads in another way: these come first in flash, where short addresses
    reach them, though not at 0, which is where interrupt vectors are and which looks like NULL.
    """
    code, data = board.flash[0].name, board.ram[0].name
    constants = "*(.rodata .rodata.* .srodata .srodata.*)"
    is_harvard = "harvard" in board.core.features
    initialised, kept = (INITIALISED_SECTION, constants) if is_harvard else (".data", "")
    first = board.flash[0].address + _VECTOR_BYTES
    in_flash = f"  .rodata {first:#x} : {{ *(.progmem*) }} > {code}"
    stack_bytes += -stack_bytes % STACK_ALIGNMENT_BYTES
    return "\n".join(
        [
            *(f"EXTERN({symbol})" for symbol in entry_symbols),
            "MEMORY {",
            *(_memory(region, "rx") for region in board.flash),
            *(_memory(region, "rw") for region in board.ram),
            "}",
            "SECTIONS {",
            *([in_flash] if is_harvard else []),
            # Xtensa code reaches its constants, in .literal, only in front of it.
            f"  .text : {{ *(.literal .literal.*) *(.text .text.*) }} > {code}",
            *([] if is_harvard else [f"  .rodata : ALIGN(16) {{ {constants} }} > {code}"]),
            f"  .ARM.exidx : {{ *(.ARM.exidx*) }} > {code}",
            "  .stack (NOLOAD) : {",
            f"    __stack_limit = .; . += {stack_bytes}; __stack_top = .;",
            f"  }} > {data}",
            f"  {initialised} : ALIGN(16) {{ {kept} "
            f"*(.data .data.* .sdata .sdata.*) }} > {data} AT > {code}",
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
    array = _ARRAY_TOO_LARGE.search(linker_output)
    if array:
        why = f"{array.group(1)} has more bytes than an address of the core can tell"
        return DoesNotFit(f"build for {board.name}", why, _WAY_OUT)
    over: dict[str, int] = {}
    for by_lld, by_gnu, count in _OVERFLOW.findall(linker_output):
        name = by_lld or by_gnu
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
        _WAY_OUT,
    )
