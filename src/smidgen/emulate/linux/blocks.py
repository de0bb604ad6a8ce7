"""How often each block of code ran in each layer on QEMU's user mode, told by `smg_count.c`."""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smidgen.emulate.timing.blocks import Block
from smidgen.targets.toolchain import compile_host_library

_SOURCE = Path(__file__).with_name("smg_count.c")
_TABLE, _REGIONS = "blocks.bin", "regions.bin"
_CAPACITY = 1 << 16
_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64


class _Record(ctypes.Structure):
    _fields_ = (
        *((name, _U32) for name in ("region", "address", "bytes", "instructions")),
        *((name, _U64) for name in ("executions", "taken")),
    )


class _Table(ctypes.Structure):
    _fields_ = (("count", _U32), ("capacity", _U32), ("blocks", _Record * _CAPACITY))


class RegionBlocks:
    """The counts, in a file that is shared with the plugin.

    `places` are the start and end of the root function, then the entry of each layer.
    """

    def __init__(self, places: list[int]) -> None:
        self._places = struct.pack(f"<{len(places)}Q", *places)

    def install(self, folder: Path) -> list[str]:
        """Makes the files in `folder`; what QEMU must be given, with it as working directory."""
        (folder / _REGIONS).write_bytes(self._places)
        with (folder / _TABLE).open("w+b") as file:
            file.truncate(ctypes.sizeof(_Table))
            view = mmap.mmap(file.fileno(), ctypes.sizeof(_Table))
        self._table = _Table.from_buffer(view)
        self._table.capacity = _CAPACITY
        self._records = np.ctypeslib.as_array(self._table.blocks)
        library = compile_host_library({_SOURCE.name: _SOURCE.read_text(encoding="utf-8")})
        return ["-plugin", f"{library},table={_TABLE},regions={_REGIONS}"]

    def take(self) -> Iterator[Block]:
        """What ran since the last take, region by region."""
        records = self._records[: self._table.count]
        for record in records[records["executions"] > 0]:
            yield Block(*(int(field) for field in record))
        records["executions"] = records["taken"] = 0
