"""Stops on an emulated core: breakpoints, steps and watched memory."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from unicorn import UC_HOOK_CODE, Uc

from smidgen.emulate.linked.firmware import Image
from smidgen.emulate.unicorn import native
from smidgen.emulate.unicorn.access_table import AccessTable, access_table
from smidgen.emulate.unicorn.hooks import Hook, add_hook, remove_hook, unicorn_functions
from smidgen.targets.catalogue import Core
from smidgen.targets.toolchain import compile_host_library

_SOURCE = Path(__file__).with_name("control.c")
_HOOKS = Path(native.__file__).parent
_HEADERS = ("accesses.h", "counter.h")
_U32, _PTR = ctypes.c_uint32, ctypes.c_void_p
MOST_WATCHES = 8
"""Places that can be watched at a time (control.c)."""
_NO_RANGE = range(0)


class Reason(Enum):
    """Why a core has stopped; the numbers of the first four are those of control.c."""

    NONE = 0
    BREAKPOINT = 1
    STEPPED = 2
    WATCHED = 3
    INTERRUPTED = 4
    FAULT = 5
    UNDEFINED = 6


class Watched(Enum):
    """What of a watched place stops the core; the numbers are those of control.c."""

    CHANGES = 1
    LOADS = 2
    ACCESSES = 3


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop; for WATCHED, `address` is the first watched byte that was reached, as `watched`."""

    reason: Reason
    address: int = 0
    watched: Watched = Watched.CHANGES


@dataclass(frozen=True, slots=True)
class Go:
    """How to go on: run, or step until the program counter is outside of `span`."""

    is_step: bool = False
    span: range = _NO_RANGE


class Stops(Protocol):
    """Where a debugger wants a core to stop."""

    def has_breakpoint(self, address: int) -> bool:
        """Whether the core is to stop before the instruction at `address`."""

    def clear(self) -> None:
        """Takes back all breakpoints and watched places."""

    def add_breakpoint(self, address: int) -> None:
        """Before the instruction at `address`."""

    def remove_breakpoint(self, address: int) -> None:
        """Takes it back."""

    def watch(self, what: Watched, address: int, count: int) -> str:
        """After instructions that reach these bytes; why that cannot be, or ""."""

    def unwatch(self, what: Watched, address: int, count: int) -> None:
        """Takes it back."""


class _HitRecord(ctypes.Structure):
    _fields_ = (("address", _U32), ("what", _U32))


class Control:
    """Where one engine is to stop. It costs nothing while there is nothing to stop at.

    While memory is watched, what each instruction reaches is computed before it runs: see
    `emulate.linked.accesses`. Code then runs at a tenth of its speed.

    Args:
        engine: to be stopped.
        code: the instructions of the firmware.
        core: which it is for.
    """

    def __init__(self, engine: Uc, code: tuple[Image, ...], core: Core) -> None:
        self._engine = engine
        self._code, self._core = code, core
        self._library = _library()
        self._state = ctypes.create_string_buffer(self._library.smg_control_bytes())
        functions = unicorn_functions("uc_mem_read", "uc_emu_stop", "uc_reg_read")
        self._library.smg_control_init(self._state, *functions, int(core.is_arm))
        self._breakpoints: dict[int, Hook] = {}
        self._watches: set[tuple[Watched, int, int]] = set()
        self._accesses: AccessTable | None = None
        self._every_instruction: Hook | None = None

    def has_breakpoint(self, address: int) -> bool:
        """Whether the core stops before it runs the instruction at `address`."""
        return address in self._breakpoints

    def add_breakpoint(self, address: int) -> None:
        """Stops the core before the instruction at `address` from now on."""
        if address not in self._breakpoints:
            function = self._library.smg_control_breakpoint
            hook = self._add(function, address, address)
            self._breakpoints[address] = hook

    def remove_breakpoint(self, address: int) -> None:
        """Takes it back; nothing happens where there is none."""
        hook = self._breakpoints.pop(address, None)
        if hook is not None:
            self._remove(hook)

    def watch(self, what: Watched, address: int, count: int) -> str:
        """Stops the core after instructions that reach these bytes; why it cannot, or ""."""
        if self._accesses is None:
            self._accesses = access_table(self._code, self._core)
            self._library.smg_control_accesses(self._state, ctypes.byref(self._accesses.record))
        if not self._library.smg_control_watch(self._state, what.value, address, count):
            return f"{MOST_WATCHES} places are watched, which is the most"
        self._watches.add((what, address, count))
        return ""

    def unwatch(self, what: Watched, address: int, count: int) -> None:
        """Takes it back; nothing happens where there is none."""
        self._library.smg_control_unwatch(self._state, what.value, address, count)
        self._watches.discard((what, address, count))

    def clear(self) -> None:
        """Takes back all breakpoints and watched memory."""
        for address in list(self._breakpoints):
            self.remove_breakpoint(address)
        for watched in list(self._watches):
            self.unwatch(*watched)

    def resume(self, pc: int, go: Go) -> None:
        """Prepares for running on from `pc`; a breakpoint there does not stop it at once."""
        self._see_every_instruction(go.is_step or bool(self._watches))
        self._library.smg_control_resume(
            self._state, int(self.has_breakpoint(pc)), int(go.is_step), go.span.start, go.span.stop
        )  # fmt: skip

    def stop(self) -> Stop:
        """Why the core was stopped since it was resumed."""
        hit = _HitRecord()
        state, engine = self._state, self._engine._uch
        reason = Reason(self._library.smg_control_reason(state, engine, ctypes.byref(hit)))
        if reason is not Reason.WATCHED:
            return Stop(reason)
        return Stop(reason, hit.address, Watched(hit.what))

    def _see_every_instruction(self, wanted: bool) -> None:
        if wanted and self._every_instruction is None:
            self._every_instruction = self._add(self._library.smg_control_code, 1, 0)
        elif not wanted and self._every_instruction is not None:
            self._remove(self._every_instruction)
            self._every_instruction = None

    def _add(self, function: ctypes._FuncPointer, first: int, last: int) -> Hook:
        user = ctypes.addressof(self._state)
        hook = add_hook(self._engine, UC_HOOK_CODE, function, user, first, last)
        self._engine.ctl_flush_tb()
        return hook

    def _remove(self, hook: Hook) -> None:
        remove_hook(self._engine, hook)
        self._engine.ctl_flush_tb()


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    headers = {name: (_HOOKS / name).read_text(encoding="utf-8") for name in _HEADERS}
    path = compile_host_library({**headers, _SOURCE.name: _SOURCE.read_text(encoding="utf-8")})
    library = ctypes.CDLL(str(path))
    library.smg_control_init.argtypes = (_PTR, _PTR, _PTR, _PTR, _U32)
    library.smg_control_accesses.argtypes = (_PTR, _PTR)
    library.smg_control_watch.argtypes = (_PTR, _U32, _U32, _U32)
    library.smg_control_unwatch.argtypes = (_PTR, _U32, _U32, _U32)
    library.smg_control_resume.argtypes = (_PTR, _U32, _U32, _U32, _U32)
    library.smg_control_reason.argtypes = (_PTR, _PTR, _PTR)
    return library
