"""Calls one function of a generated model on an arena: a process of its own, so that it may crash.

    python host_runner.py LIBRARY ARENA FUNCTION START...

FUNCTION is called with pointers to each START in a copy of the file ARENA in memory, and the copy
is written back.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_ALIGNMENT_BYTES = 64


def main(library: str, arena_path: str, function: str, *starts: str) -> None:
    """Run `function` of `library` on the arena in the file `arena_path`, with its parts."""
    place = Path(arena_path)
    content = place.read_bytes()
    memory = ctypes.create_string_buffer(len(content) + _ALIGNMENT_BYTES)
    start = ctypes.addressof(memory)
    start += -start % _ALIGNMENT_BYTES
    ctypes.memmove(start, content, len(content))
    pointers = [ctypes.c_void_p(start + int(part)) for part in starts]
    getattr(ctypes.CDLL(library), function)(*pointers)
    place.write_bytes(ctypes.string_at(start, len(content)))


if __name__ == "__main__":
    main(*sys.argv[1:])
