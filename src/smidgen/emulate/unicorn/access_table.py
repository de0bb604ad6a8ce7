"""The loads and stores of linked code as the hooks in C look them up (`accesses.h`)."""

from __future__ import annotations

import ctypes
from functools import lru_cache

from smidgen.emulate.linked.accesses import Access, accesses
from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.unicorn.native import U32
from smidgen.targets.catalogue import Core


class _AccessRecord(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_int32),
        ("index", ctypes.c_int32),
        ("shift", U32),
        ("offset", ctypes.c_int32),
        ("bytes", U32),
        ("is_load", U32),
        ("is_store", U32),
    )


class _TableRecord(ctypes.Structure):
    _fields_ = (
        ("code_start", U32),
        ("code_halfwords", U32),
        ("access_at", ctypes.c_void_p),
        ("accesses", ctypes.c_void_p),
    )


class AccessTable:
    """What each instruction of `code` reaches; `record` is for C, and lasts as long as this."""

    def __init__(self, code: tuple[Image, ...], core: Core) -> None:
        found = list(accesses(code, core))
        start = min((piece.address for piece in code), default=0)
        end = max((piece.address + len(piece.content) for piece in code), default=0)
        self._accesses = (_AccessRecord * len(found))(*map(_access, found))
        self._access_at = (U32 * (-(-(end - start) // 2)))()
        for number, access in enumerate(found, start=1):
            self._access_at[(access.pc - start) // 2] = number
        self.record = _TableRecord(
            start,
            len(self._access_at),
            ctypes.addressof(self._access_at),
            ctypes.addressof(self._accesses),
        )


@lru_cache(maxsize=16)
def access_table(code: tuple[Image, ...], core: Core) -> AccessTable:
    """The table of `code`; machines that hold the same code share it."""
    return AccessTable(code, core)


def _access(access: Access) -> _AccessRecord:
    return _AccessRecord(
        access.base,
        access.index,
        access.shift,
        access.offset,
        access.bytes,
        int(access.is_load),
        int(access.is_store),
    )
