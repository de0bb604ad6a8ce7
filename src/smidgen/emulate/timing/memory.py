"""A board's memory, to be simulated: what its flash, RAM and caches add to the core's own clocks.

Every fetch and every load of a call is followed through a model of the board's memory, natively
(`memory.c`), by the emulator that runs it. The rules:

- A read of a region waits its `wait_states` for each `read_bytes` that it needs.
- A cache (least recently used line goes) is filled by whole lines; what is in it waits for nothing.
- Code is fetched once for each line (or `read_bytes`, without a cache) that execution enters. A
  region with `prefetch` reads ahead: when execution runs straight on into what is missing, the
  instructions since the last fetch count as clocks that it had already.
- Loads have the core wait until the data have come; stores do not, there is a buffer for one.
- Fetches and loads do not delay each other, and DMA and other bus masters are not there.

Caches start out empty and keep what they hold from call to call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

from smidgen.targets.catalogue import Board, Cache, MemoryRegion

_SOURCES = ("memory.h", "memory.c")
_NO_CACHE = 0xFFFF_FFFF
U32 = ctypes.c_uint32


class RegionRecord(ctypes.Structure):
    """`region_t` of memory.h."""

    _fields_ = tuple(
        (name, U32)
        for name in (
            "start", "end", "wait", "read_bytes", "prefetch", "code_cache", "data_cache",
        )
    )  # fmt: skip


class CacheRecord(ctypes.Structure):
    """`cache_t` of memory.h."""

    _fields_ = (
        *((name, U32) for name in ("line_bytes", "sets", "ways", "spare")),
        ("tags", ctypes.c_void_p),
    )


def memory_sources() -> Mapping[str, str]:
    """The C of the simulation, to be compiled into what follows an emulator."""
    here = Path(__file__).parent
    return {name: (here / name).read_text(encoding="utf-8") for name in _SOURCES}


def region_records(board: Board) -> ctypes.Array[RegionRecord]:
    """All memory of `board`, for `smg_memory_init`."""
    regions = [*board.flash, *board.ram]
    return (RegionRecord * len(regions))(*(_region(each, board.caches) for each in regions))


def cache_records(board: Board) -> ctypes.Array[CacheRecord]:
    """The caches of `board`, all empty, for `smg_memory_init`."""
    return (CacheRecord * len(board.caches))(*map(_cache, board.caches))


def _cache(cache: Cache) -> CacheRecord:
    return CacheRecord(cache.line_bytes, cache.sets, cache.ways_in_set, 0, None)


def _region(region: MemoryRegion, caches: Sequence[Cache]) -> RegionRecord:
    return RegionRecord(
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
