"""Follows what Unicorn runs through the simulated memory of its board (`timing.memory`).

A hook in C (`waits.c`) on each instruction; what loads and stores reach is read off their operands.
"""

from __future__ import annotations

import ctypes
import weakref

from unicorn import UC_HOOK_CODE, Uc

from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.timing.memory import cache_records, region_records
from smidgen.emulate.unicorn.access_table import access_table
from smidgen.emulate.unicorn.hooks import Hook, add_hook, remove_hook
from smidgen.emulate.unicorn.native import library
from smidgen.targets.catalogue import Board


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
        self._accesses = access_table(self._code, self._board.core)
        native.smg_waits_code(self._state, ctypes.byref(self._accesses.record))
