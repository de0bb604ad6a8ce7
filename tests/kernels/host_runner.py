"""Runs the cases of a library on their arenas: a process of its own, so that it may be aborted."""

import ctypes
import json
import sys
from pathlib import Path


def main(library_path: str, arenas_path: str, sizes: str) -> None:
    library = ctypes.CDLL(library_path)
    path = Path(arenas_path)
    raw, at, after = path.read_bytes(), 0, []
    for index, size in enumerate(json.loads(sizes)):
        words = (ctypes.c_uint64 * (size // 8 + 1))()
        ctypes.memmove(words, raw[at : at + size], size)
        getattr(library, f"case{index}_run")(ctypes.byref(words))
        after.append(bytes(words)[:size])
        at += size
    path.write_bytes(b"".join(after))


if __name__ == "__main__":
    main(*sys.argv[1:])
