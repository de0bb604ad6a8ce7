"""A file that Linux runs, made of a firmware that was linked for the memory of a board.

Boards have no pages, so a linker gives a firmware segments that share them and a stack that is not
writable, and Linux would take both at their word. Here each region of memory becomes one segment.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

from elftools.elf.elffile import ELFFile

from smidgen.emulate.linked.firmware import Firmware
from smidgen.targets.catalogue import MemoryRegion

_PAGE_BYTES = 4096
_LOAD, _ALL_RIGHTS = 1, 7


def linux_program(elf: bytes, firmware: Firmware, regions: Sequence[MemoryRegion]) -> bytes:
    """`elf`, which `firmware` was read from, with one segment for each region; without symbols.

    The layout of the headers is that of the System V ABI, chapter 4 and 5. Regions start on pages.
    """
    file = ELFFile(io.BytesIO(elf))
    wide = file.elfclass == 64
    contents = [_content(firmware, region) for region in regions]
    headers, body = b"", b""
    for region, content in zip(regions, contents, strict=True):
        headers += _segment(wide, _PAGE_BYTES + len(body), region.address, len(content))
        body += content + bytes(-len(content) % _PAGE_BYTES)
    header = bytearray(elf[: file["e_ehsize"]])
    sections_at, counts_at = (0x28, 0x38) if wide else (0x20, 0x2C)
    struct.pack_into("<Q" if wide else "<I", header, 0x20 if wide else 0x1C, len(header))
    struct.pack_into("<Q" if wide else "<I", header, sections_at, 0)
    struct.pack_into("<4H", header, counts_at, len(regions), file["e_shentsize"], 0, 0)
    return (bytes(header) + headers).ljust(_PAGE_BYTES, b"\0") + body


def _content(firmware: Firmware, region: MemoryRegion) -> bytes:
    """From the start of `region` to the end of the last thing that lies in it."""
    ends = [image.address + len(image.content) for image in firmware.images]
    ends += [span.stop for span in (*firmware.zeroed, firmware.stack)]
    content = bytearray(
        max((end for end in ends if region.address < end <= region.end), default=region.address)
        - region.address
    )
    for image in firmware.images:
        at = image.address - region.address
        if 0 <= at < len(content):
            content[at : at + len(image.content)] = image.content
    return bytes(content)


def _segment(wide: bool, offset: int, address: int, count: int) -> bytes:
    if wide:
        return struct.pack(
            "<2I6Q", _LOAD, _ALL_RIGHTS, offset, address, address, count, count, _PAGE_BYTES
        )
    return struct.pack(
        "<8I", _LOAD, offset, address, address, count, count, _ALL_RIGHTS, _PAGE_BYTES
    )
