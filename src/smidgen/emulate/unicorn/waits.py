"""Waits for memory, simulated: what a board's flash, RAM and caches add to the core's own clocks.

Every fetch and every load of a call is followed through a model of the board's memory, natively
(`waits.c`). The rules:

- A read of a region waits its `wait_states` for each `read_bytes` that it needs.
- A cache (least recently used line goes) is filled by whole lines; what is in it waits for nothing.
- Code is fetched once for each line (or `read_bytes`, without a cache) that execution enters. A
  region with `prefetch` reads ahead: when execution runs straight on into what is missing, the
  instructions since the last fetch count as clocks that it had already.
- Loads have the core wait until the data has come; stores do not, there is a buffer for one.
- Fetches and loads do not delay each other, and DMA and other bus masters are not there.

Caches start out empty and keep what they hold from call to call.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence

from unicorn import UC_HOOK_CODE, Uc

from smidgen.emulate.linked.accesses import Access, accesses
from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.unicorn.hooks import Hook, add_hook, remove_hook
from smidgen.emulate.unicorn.native import U32, library
from smidgen.targets.catalogue import Board, Cache, MemoryRegion

_NO_CACHE = 0xFFFF_FFFF


class _RegionRecord(ctypes.Structure):
    _fields_ = tuple(
        (name, U32)
        for name in (
            "start", "end", "wait", "read_bytes", "prefetch", "code_cache", "data_cache",
        )
    )  # fmt: skip


class _CacheRecord(ctypes.Structure):
    _fields_ = (
        ("line_bytes", U32),
        ("sets", U32),
        ("ways", U32),
        ("tags", ctypes.c_void_p),
    )


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
        caches = (_CacheRecord * len(self._board.caches))(*map(_cache, self._board.caches))
        regions = [*self._board.flash, *self._board.ram]
        records = (_RegionRecord * len(regions))(
            *(_region(region, self._board.caches) for region in regions)
        )
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


def _cache(cache: Cache) -> _CacheRecord:
    return _CacheRecord(cache.line_bytes, cache.sets, cache.ways_in_set, None)


def _region(region: MemoryRegion, caches: Sequence[Cache]) -> _RegionRecord:
    return _RegionRecord(
        region.address,
        region.end,
        region.wait_states,
        region.read_bytes,
        int(region.prefetch),
        _serving(region, caches, "code"),
        _serving(region, caches, "data"),
    )


def _serving(region: MemoryRegion, caches: Sequence[Cache], what: str) -> int:
    """The number of the cache through which the region's code or data go."""
    return next(
        (
            number
            for number, cache in enumerate(caches)
            if region.name in cache.regions and cache.serves in (what, "both")
        ),
        _NO_CACHE,
    )


def _access(access: Access) -> _AccessRecord:
    return _AccessRecord(
        access.base, access.index, access.shift, access.offset, access.bytes, int(access.is_store)
    )
