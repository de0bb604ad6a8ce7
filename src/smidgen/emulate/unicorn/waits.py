"""Follows what Unicorn runs through the simulated memory of its board (`timing.memory`).

A hook in C (`waits.c`) on each instruction; what loads and stores reach is read off their operands.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence

from unicorn import UC_HOOK_CODE, Uc

from smidgen.emulate.linked.accesses import Access, accesses
from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.timing.memory import cache_records, region_records
from smidgen.emulate.unicorn.hooks import Hook, add_hook, remove_hook
from smidgen.emulate.unicorn.native import U32, library
from smidgen.targets.catalogue import Board


class _AccessRecord(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_int32),
        ("index", ctypes.c_int32),
        ("shift", U32),
        ("offset", ctypes.c_int32),
        ("bytes", U32),
        ("is_store", U32),
    )


class MemoryWaits:
    """The memory of `board` as `code` sees it, with the contents of its caches."""

    def __init__(self, board: Board, code: tuple[Image, ...]) -> None:
        self._board, self._code = board, code
        self._state: int = 0
        self._hook: Hook | None = None

    def attach(self, engine: Uc, counter: int, wanted: bool) -> None:
        """Follows every instruction that `engine` runs from now on, or no longer.

        Waits go to the block that `counter`, a native block counter, sees running.
        """
        if wanted == (self._hook is not None):
            return
        if self._hook is not None:
            remove_hook(engine, self._hook)
            self._hook = None
        else:
            self._prepare(counter)
            function = library().smg_waits_instruction
            self._hook = add_hook(engine, UC_HOOK_CODE, function, self._state)
        engine.ctl_flush_tb()  # what is translated already does not know of the change

    def _prepare(self, counter: int) -> None:
        """Makes the tables when they are wanted for the first time."""
        if self._state:
            return
        caches, records = cache_records(self._board), region_records(self._board)
        native = library()
        self._state = native.smg_waits_new(counter, records, len(records), caches, len(caches))
        if not self._state:
            raise MemoryError("no memory to simulate the board's")
        weakref.finalize(self, native.smg_waits_free, self._state)
        self._set_code(list(accesses(self._code, self._board.core)))

    def _set_code(self, found: Sequence[Access]) -> None:
        start = min((piece.address for piece in self._code), default=0)
        end = max((piece.address + len(piece.content) for piece in self._code), default=0)
        self._accesses = (_AccessRecord * len(found))(*map(_access, found))
        self._access_at = (U32 * (-(-(end - start) // 2)))()
        for number, access in enumerate(found, start=1):
            self._access_at[(access.pc - start) // 2] = number
        library().smg_waits_code(
            self._state, start, len(self._access_at), self._access_at, self._accesses
        )


def _access(access: Access) -> _AccessRecord:
    return _AccessRecord(
        access.base, access.index, access.shift, access.offset, access.bytes, int(access.is_store)
    )
