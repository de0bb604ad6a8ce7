"""How often each block of code ran on QEMU, counted by a plugin (`blocks.c` for whole boards).

QEMU can do without: then there are no blocks, and no modelled clocks.
"""

from __future__ import annotations

import mmap
import struct
import subprocess
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from smidgen.emulate.timing.blocks import Block
from smidgen.targets.toolchain import compile_host_library

TABLE = "blocks.bin"
_HEADER, _RECORD = struct.Struct("<IIQ"), struct.Struct("<IIIIQQ")
_CAPACITY = 1 << 16


@dataclass(frozen=True, slots=True)
class BlockPlugin:
    """A plugin that fills the table: its C, and what it is told beside the table's file."""

    source: Path
    options: str = ""


BLOCKS = BlockPlugin(Path(__file__).with_name("blocks.c"))


@lru_cache(maxsize=4)
def takes_plugins(program: str) -> bool:
    """Whether the QEMU at `program` was built with plugins."""
    answer = subprocess.run([program, "-help"], capture_output=True, text=True, check=False)
    return "-plugin " in answer.stdout


class BlockTable:
    """The counts, in a file in `folder` that is shared with the plugin."""

    def __init__(self, folder: Path, plugin: BlockPlugin) -> None:
        self._plugin = plugin
        path = folder / TABLE
        size = _HEADER.size + _CAPACITY * _RECORD.size
        path.write_bytes(_HEADER.pack(0, _CAPACITY, 0))
        with path.open("r+b") as file:
            file.truncate(size)
            self._view = mmap.mmap(file.fileno(), size)
        weakref.finalize(self, self._view.close)

    @property
    def arguments(self) -> list[str]:
        """What QEMU must be given, with the folder as its working directory."""
        path, options = self._plugin.source, self._plugin.options
        source = {path.name: path.read_text(encoding="utf-8")}
        library = compile_host_library(source, defines=("_POSIX_C_SOURCE=200809L",))
        return ["-plugin", f"{library},table={TABLE}{options}"]

    def take(self) -> tuple[Block, ...]:
        """What ran since the last take."""
        count = _HEADER.unpack_from(self._view)[0]
        return tuple(self._taken(count))

    def _taken(self, count: int) -> Iterator[Block]:
        for at in range(_HEADER.size, _HEADER.size + count * _RECORD.size, _RECORD.size):
            address, size, instructions, region, executions, taken = _RECORD.unpack_from(
                self._view, at
            )
            if executions:
                yield Block(region, address, size, instructions, executions, taken)
                _RECORD.pack_into(self._view, at, address, size, instructions, region, 0, 0)
