"""How often each block of code ran on QEMU, and what it waited, told by a plugin (`blocks.c`).

QEMU can do without: then there are no blocks, and no modelled clocks.
"""

from __future__ import annotations

import ctypes
import mmap
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from smidgen.core.errors import EmulationError
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.memory import memory_sources
from smidgen.targets.toolchain import compile_host_library

TABLE, BOARD = "blocks.bin", "board.bin"
_SOURCE = Path(__file__).with_name("blocks.c")
_CAPACITY, _MOST_LAYERS = 1 << 17, 4096
_NO_REGION = 0xFFFF_FFFF
_COUNTERS = ("executions", "taken", "simulated", "waits")
U32, U64 = ctypes.c_uint32, ctypes.c_uint64


class _BlockRecord(ctypes.Structure):
    _fields_ = (
        *((name, U32) for name in ("address", "bytes", "instructions", "region")),
        *((name, U64) for name in _COUNTERS),
        *((name, U32) for name in ("next", "is_firmware")),
    )


class _Table(ctypes.Structure):
    _fields_ = (
        *((name, U32) for name in ("count", "capacity", "follows")),
        *((name, U32) for name in ("root_start", "root_end", "layers")),
        ("entries", U32 * _MOST_LAYERS),
        ("blocks", _BlockRecord * _CAPACITY),
    )


@dataclass(frozen=True, slots=True)
class BlockRuns:
    """What ran: `blocks` as a whole and, where memory was simulated, `waits` by region."""

    blocks: tuple[Block, ...]
    waits: tuple[Block, ...]


class Plugin(Protocol):
    """A plugin of QEMU, and the files through which it is told and tells."""

    def install(self, folder: Path) -> list[str]:
        """Makes the files in `folder`; what QEMU must be given, with it as working directory."""


@lru_cache(maxsize=4)
def takes_plugins(program: str) -> bool:
    """Whether the QEMU at `program` was built with plugins."""
    answer = subprocess.run([program, "-help"], capture_output=True, text=True, check=False)
    return "-plugin " in answer.stdout


class BlockTable:
    """The counts, in a file that is shared with the plugin.

    `board` is what the plugin must know to simulate memory (`placement.board_record`), or nothing.
    """

    def __init__(self, board: bytes = b"") -> None:
        self._board = board

    def install(self, folder: Path) -> list[str]:
        """Makes the files in `folder`; what QEMU must be given, with it as working directory."""
        path = folder / TABLE
        path.write_bytes(b"")
        with path.open("r+b") as file:
            file.truncate(ctypes.sizeof(_Table))
            view = mmap.mmap(file.fileno(), ctypes.sizeof(_Table))
        self._table = _Table.from_buffer(view)
        self._records = np.ctypeslib.as_array(self._table.blocks)
        self._table.capacity = _CAPACITY
        if self._board:
            (folder / BOARD).write_bytes(self._board)
        source = {_SOURCE.name: _SOURCE.read_text(encoding="utf-8"), **memory_sources()}
        library = compile_host_library(source, defines=("_POSIX_C_SOURCE=200809L",))
        board = f",board={BOARD}" if self._board else ""
        return ["-plugin", f"{library},table={TABLE}{board}"]

    def set_regions(self, root: range, entries: Sequence[int]) -> None:
        """Tells where the root function lies and where each layer starts."""
        if len(entries) > _MOST_LAYERS:
            raise EmulationError("model", f"has more than {_MOST_LAYERS} layers")
        self._table.root_start, self._table.root_end = root.start, root.stop
        self._table.layers = len(entries)
        self._table.entries[: len(entries)] = list(entries)

    def follow_memory(self, wanted: bool) -> None:
        """Whether the waits of what runs from now on are simulated; QEMU is slower then."""
        self._table.follows = int(wanted and bool(self._board))

    def take(self) -> BlockRuns:
        """What ran since the last take; raises EmulationError where it was too much to count."""
        if self._table.count == self._table.capacity:
            raise EmulationError("QEMU", f"ran more than {self._table.capacity:,} blocks of code")
        records = self._records[: self._table.count]
        ran = records[records["executions"] + records["simulated"] > 0]
        is_whole = ran["region"] == _NO_REGION
        taken = BlockRuns(tuple(_blocks(ran[is_whole])), tuple(_blocks(ran[~is_whole])))
        for counter in _COUNTERS:
            records[counter] = 0
        return taken


def _blocks(records: np.ndarray[Any, np.dtype[np.void]]) -> Iterator[Block]:
    for record in records:
        region = int(record["region"])
        yield Block(
            0 if region == _NO_REGION else region,
            *(int(record[name]) for name in ("address", "bytes", "instructions", *_COUNTERS)),
        )
