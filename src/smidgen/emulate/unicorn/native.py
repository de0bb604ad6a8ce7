"""The hooks in C (`counter.c`, `waits.c` with the simulated memory), compiled for this computer."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from pathlib import Path

from smidgen.emulate.timing.memory import memory_sources
from smidgen.targets.toolchain import compile_host_library

_SOURCES = ("accesses.h", "counter.h", "counter.c", "waits.c")
U32, U64, POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The compiled hooks."""
    here = Path(__file__).parent
    own = {name: (here / name).read_text(encoding="utf-8") for name in _SOURCES}
    path = compile_host_library({**own, **memory_sources()})
    found = ctypes.CDLL(str(path))
    found.smg_counter_new.restype = POINTER
    found.smg_counter_new.argtypes = (POINTER, POINTER, POINTER, U32, ctypes.c_int32)
    found.smg_counter_regions.argtypes = (POINTER, U32, U32, POINTER, U32)
    found.smg_counter_begin.argtypes = (POINTER, U64)
    found.smg_counter_unaligned.argtypes = (POINTER, POINTER, POINTER)
    found.smg_counter_copy.argtypes = (POINTER, POINTER)
    found.smg_counter_simulate.argtypes = (POINTER, U32)
    found.smg_counter_pause_after.argtypes = (POINTER, U64)
    found.smg_counter_interrupted.argtypes = (POINTER, POINTER, U32)
    for name in ("free", "clear", "end", "count", "stopped", "paused", "unknown"):
        getattr(found, f"smg_counter_{name}").argtypes = (POINTER,)
    found.smg_waits_new.restype = POINTER
    found.smg_waits_new.argtypes = (POINTER, POINTER, U32, POINTER, U32)
    found.smg_waits_free.argtypes = (POINTER,)
    found.smg_waits_code.argtypes = (POINTER, POINTER)
    return found
