"""Address spaces: how C reads constants in flash where plain loads do not reach it.

Kernel headers carry marks for cores of Harvard architecture (8-bit AVR). ``const SMG_ROM int8_t *``
points to a table in flash, and is SMG_ROM_NULL where there is none. ``const SMG_ANY int8_t *``
points to the arena or to a table: what `smg_rom.h` makes of its address tells which. Between
``#if SMG_HARVARD`` and ``#endif /* SMG_HARVARD */`` is what such cores do otherwise. For all other
cores the marks are taken out, and the C is plain. A table whose pointers have no mark is copied to
RAM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from smidgen.targets.catalogue import Board

_ROM, _ANY, _NULL = "SMG_ROM ", "SMG_ANY ", "SMG_ROM_NULL"
_FORMATTING = re.compile(r"^// clang-format o(?:n|ff)\n", re.MULTILINE)
"""Lines in kernel headers around code that is well laid out when the marks are gone."""
_CHOICE = re.compile(
    r"^#if SMG_HARVARD\n(?P<harvard>.*?)(?:^#else\n(?P<flat>.*?))?^#endif /\* SMG_HARVARD \*/\n",
    re.MULTILINE | re.DOTALL,
)

_PROLOGUE = """
/* avr-gcc 5.4 forgets the address space of a pointer that it makes of an index in a loop. */
#pragma GCC optimize("no-ivopts")
"""


@dataclass(frozen=True, slots=True)
class Spaces:
    """The C qualifier of tables in flash, with a space behind; "" where loads reach the flash."""

    rom: str = ""

    @property
    def prologue(self) -> str:
        """What a C file starts with that reads tables."""
        return _PROLOGUE if self.rom else ""

    @property
    def null(self) -> str:
        """The address of no table: NULL itself would be an address in RAM."""
        return "0" if self.rom else "NULL"

    def anywhere(self, table: str, c_type: str) -> str:
        """The address of `table`, for who also takes addresses in the arena."""
        return f"(const {c_type} *)SMG_BEHIND_RAM({table})" if self.rom else table

    def resolve(self, text: str) -> str:
        """The header `text` without its marks."""
        text = _CHOICE.sub(lambda found: found["harvard" if self.rom else "flat"] or "", text)
        for mark, qualifier in ((_ROM, self.rom), (_ANY, ""), (_NULL, self.null)):
            text = text.replace(mark, qualifier)
        return _FORMATTING.sub("", text)


FLAT = Spaces()
HARVARD = Spaces("__flash ")
_ADDRESSES = 1 << 16
_OTHERS_BYTES = 1024
"""What may lie in flash before the tables: interrupt vectors, and little constants of others."""


def spaces_of(board: Board) -> Spaces:
    """How the C for `board` reads its constants."""
    return HARVARD if "harvard" in board.core.features else FLAT


def reach_bytes(board: Board) -> int | None:
    """How many bytes of tables in flash the C for `board` can reach; None for all there are.

    `SMG_BEHIND_RAM` takes the addresses that are left behind the RAM.
    """
    if not spaces_of(board).rom:
        return None
    return _ADDRESSES - board.ram[0].end % _ADDRESSES - _OTHERS_BYTES


def language_flag(board: Board) -> str:
    """The C that is written for `board`: named address spaces are GNU's (and ISO TR 18037's)."""
    return "-std=gnu99" if spaces_of(board).rom else "-std=c99"


@dataclass(frozen=True, slots=True)
class Marks:
    """The marked pointers among fields or parameters, by name or place."""

    rom: frozenset[str] = frozenset()
    anywhere: frozenset[str] = frozenset()


def marked_fields(text: str, struct: str) -> Marks:
    """The fields of `struct`, declared in the header `text`, that have marks."""
    return _fields(text).get(struct, Marks())


@cache
def _fields(text: str) -> dict[str, Marks]:
    structs = re.findall(r"typedef struct \{([^}]*)\} ([^;]+);", text)
    return {name: Marks(_pointers(body, _ROM), _pointers(body, _ANY)) for body, name in structs}


def _pointers(body: str, mark: str) -> frozenset[str]:
    found = re.findall(rf"\bconst {mark}\w+ ([^;]*);", body)
    return frozenset(name.strip(" *") for each in found for name in each.split(","))


@cache
def marked_parameters(text: str, function: str) -> tuple[bool, ...]:
    """Which parameters of `function`, defined in the header `text`, may point to flash."""
    definition = re.search(rf"\b{function}\(([^)]*)\) {{", text)
    parameters = definition.group(1).split(",") if definition else []
    return tuple(_ANY in each for each in parameters)
