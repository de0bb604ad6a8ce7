"""Native hooks: C functions that the emulator calls, because Python ones cost a thousand times."""

from __future__ import annotations

import ctypes

from unicorn import Uc
from unicorn.unicorn_py3.unicorn import uclib

from smidgen.core.errors import EmulationError

Hook = ctypes.c_size_t


def unicorn_functions(*names: str) -> tuple[ctypes.c_void_p, ...]:
    """Addresses of the emulator's own C functions, for C that calls them."""
    return tuple(ctypes.cast(getattr(uclib, name), ctypes.c_void_p) for name in names)


def add_hook(
    engine: Uc,
    kind: int,
    function: ctypes._FuncPointer,
    user: int,
    first: int = 1,
    last: int = 0,
) -> Hook:
    """Registers a hook on addresses from `first` to `last`; everywhere if `last` is smaller.

    Code that is translated already does not know of it until `engine.ctl_flush_tb`.
    """
    handle = Hook()
    status = uclib.uc_hook_add(
        engine._uch, ctypes.byref(handle), kind, ctypes.cast(function, ctypes.c_void_p),
        ctypes.c_void_p(user), ctypes.c_uint64(first), ctypes.c_uint64(last),
    )  # fmt: skip
    if status:
        raise EmulationError("emulator", f"refuses a hook (Unicorn error {status})")
    return handle


def remove_hook(engine: Uc, hook: Hook) -> None:
    """Takes a hook back."""
    uclib.uc_hook_del(engine._uch, hook)
