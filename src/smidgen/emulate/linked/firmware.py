"""A linked ELF file, taken apart: what is loaded where, the symbols, and the sizes."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

from smidgen.core.errors import ArtifactError, EmulationError, UnknownName
from smidgen.targets.linker import INITIALISED_SECTION

_ALLOCATED, _WRITABLE, _EXECUTABLE = 2, 1, 4
_STACK_SECTION = ".stack"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named function or object; for Thumb code the address is without the low bit."""

    name: str
    address: int
    bytes: int
    is_function: bool


@dataclass(frozen=True, slots=True)
class Image:
    """Bytes to be put at an address before the program runs."""

    address: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by section. Initialised data counts twice: its image in flash, itself in RAM."""

    code: int
    constants: int
    data: int
    zeroed: int
    stack_reserved: int

    @property
    def flash_bytes(self) -> int:
        """Flash that the program occupies."""
        return self.code + self.constants + self.data

    @property
    def ram_bytes(self) -> int:
        """RAM that the program occupies, without any stack."""
        return self.data + self.zeroed


@dataclass(frozen=True, slots=True)
class Firmware:
    """What an ELF file holds. `code` are the instructions alone, without constants between."""

    images: tuple[Image, ...]
    zeroed: tuple[range, ...]
    code: tuple[Image, ...]
    symbols: Mapping[str, Symbol]
    functions: tuple[Symbol, ...]
    sizes: Sizes
    stack: range

    def code_bytes(self, address: int, count: int) -> bytes:
        """`count` bytes of what was loaded at `address`; raises KeyError where nothing was."""
        for image in self.images:
            offset = address - image.address
            if offset >= 0 and offset + count <= len(image.content):
                return image.content[offset : offset + count]
        raise KeyError(f"nothing is loaded at {address:#010x}")

    def symbol(self, name: str) -> Symbol:
        """The function or object `name`; raises UnknownName."""
        if name not in self.symbols:
            raise UnknownName("symbol", name, self.symbols)
        return self.symbols[name]

    def function(self, name: str) -> Symbol:
        """The function `name`; raises UnknownName, and EmulationError for what is no function."""
        found = self.symbol(name)
        if not found.is_function:
            raise EmulationError(f"symbol {name!r}", "is no function")
        return found

    def function_at(self, address: int) -> Symbol | None:
        """The function that `address` lies in."""
        at = bisect_right(self.functions, address, key=lambda symbol: symbol.address) - 1
        if at < 0:
            return None
        found = self.functions[at]
        return found if address < found.address + max(found.bytes, 1) else None


@lru_cache(maxsize=16)
def read_firmware(elf: bytes) -> Firmware:
    """Takes `elf` apart; raises ArtifactError when it is no linked 32-bit ELF file."""
    try:
        return _read(ELFFile(io.BytesIO(elf)))
    except (ELFError, ValueError, KeyError, UnicodeDecodeError) as problem:
        raise ArtifactError("firmware", f"is no ELF file ({problem})", "build it again") from None


def _read(file: ELFFile) -> Firmware:
    sections = [section for section in file.iter_sections() if section["sh_flags"] & _ALLOCATED]
    thumb = file["e_machine"] == "EM_ARM"
    symbols = {symbol.name: symbol for symbol in _symbols(file, thumb)}
    functions = [symbol for symbol in symbols.values() if symbol.is_function]
    return Firmware(
        images=tuple(_images(file, sections)),
        zeroed=tuple(_span(section) for section in sections if _is_zeroed(section)),
        code=tuple(piece for section in sections for piece in _code(file, section)),
        symbols=symbols,
        functions=tuple(sorted(functions, key=lambda symbol: (symbol.address, symbol.name))),
        sizes=_sizes(sections),
        stack=next((_span(each) for each in sections if each.name == _STACK_SECTION), range(0)),
    )


def _span(section: Section) -> range:
    return range(section["sh_addr"], section["sh_addr"] + section["sh_size"])


def _is_zeroed(section: Section) -> bool:
    return section["sh_type"] == "SHT_NOBITS" and section.name != _STACK_SECTION


def _images(file: ELFFile, sections: list[Section]) -> Iterator[Image]:
    """Each loaded segment where it runs, and where it is kept in flash if that is elsewhere.

    A segment without sections is the ELF header, which may lie on the page before a flash region.
    """
    for segment in file.iter_segments("PT_LOAD"):
        content = segment.data()
        if content and any(map(segment.section_in_segment, sections)):
            yield Image(segment["p_paddr"], content)
            if segment["p_vaddr"] != segment["p_paddr"]:
                yield Image(segment["p_vaddr"], content)


def _entries(file: ELFFile) -> Iterator[tuple[str, int, int, str, int | str]]:
    table = file.get_section_by_name(".symtab")
    if isinstance(table, SymbolTableSection):
        for entry in table.iter_symbols():
            kind = entry["st_info"]["type"]
            yield entry.name, entry["st_value"], entry["st_size"], kind, entry["st_shndx"]


def _symbols(file: ELFFile, thumb: bool) -> Iterator[Symbol]:
    for name, value, size, kind, section in _entries(file):
        is_function = kind == "STT_FUNC"
        if name and (is_function or kind == "STT_OBJECT") and section != "SHN_UNDEF":
            yield Symbol(name, value & ~1 if thumb and is_function else value, size, is_function)


def _code(file: ELFFile, section: Section) -> Iterator[Image]:
    """The parts of `section` that are code, by the mapping symbols of the ABI ($a, $t, $x, $d)."""
    if not section["sh_flags"] & _EXECUTABLE or section["sh_type"] == "SHT_NOBITS":
        return
    span, content = _span(section), section.data()
    marks = sorted(
        (value, not name.startswith("$d"))
        for name, value, *_ in _entries(file)
        if name[:2] in ("$a", "$t", "$x", "$d") and value in span
    )
    starts = marks or [(span.start, True)]
    for (start, is_code), (end, _) in zip(starts, [*starts[1:], (span.stop, True)], strict=True):
        if is_code and end > start:
            yield Image(start, content[start - span.start : end - span.start])


def _sizes(sections: list[Section]) -> Sizes:
    totals = dict.fromkeys(("code", "constants", "data", "zeroed", "stack_reserved"), 0)
    for section in sections:
        totals[_kind(section)] += section["sh_size"]
    return Sizes(**totals)


def _kind(section: Section) -> str:
    if section.name == _STACK_SECTION:
        return "stack_reserved"
    if section["sh_type"] == "SHT_NOBITS":
        return "zeroed"
    if section["sh_flags"] & _EXECUTABLE:
        return "code"
    is_data = section["sh_flags"] & _WRITABLE or section.name == INITIALISED_SECTION
    return "data" if is_data else "constants"
