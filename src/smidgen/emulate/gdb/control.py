"""Stops on an emulated core: breakpoints, steps and watched memory."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from unicorn import UC_HOOK_CODE, Uc

from smidgen.emulate.unicorn.hooks import Hook, add_hook, remove_hook, unicorn_functions
from smidgen.targets.toolchain import compile_host_library

_SOURCE = Path(__file__).with_name("control.c")
_U32, _PTR = ctypes.c_uint32, ctypes.c_void_p
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


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop; `address` is the watched one where memory has changed."""

    reason: Reason
    address: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """How to go on: run, or step until the program counter is outside of `span`."""

    is_step: bool = False
    span: range = _NO_RANGE


class Stops(Protocol):
    """Where a debugger wants a core to stop."""

    def add_breakpoint(self, address: int) -> None:
        """Before the instruction at `address`."""

    def remove_breakpoint(self, address: int) -> None:
        """Takes it back."""

    def watch(self, address: int, count: int) -> bool:
        """Once these bytes have changed; whether there was room for one more."""

    def unwatch(self, address: int, count: int) -> None:
        """Takes it back."""


class Control:
    """Where one engine is to stop. It costs nothing while there is nothing to stop at.

    Watched memory is compared before each instruction, so that a write that changes nothing does
    not stop the core, and code runs at a tenth of its speed.
    """

    def __init__(self, engine: Uc, *, thumb: bool) -> None:
        self._engine = engine
        self._library = _library()
        self._state = ctypes.create_string_buffer(self._library.smg_control_bytes())
        functions = unicorn_functions("uc_mem_read", "uc_emu_stop")
        self._library.smg_control_init(self._state, *functions, int(thumb))
        self._breakpoints: dict[int, Hook] = {}
        self._watches: set[tuple[int, int]] = set()
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

    def watch(self, address: int, count: int) -> bool:
        """Stops the core once these bytes have changed; whether there was room for one more."""
        if not self._library.smg_control_watch(self._state, address, count):
            return False
        self._watches.add((address, count))
        return True

    def unwatch(self, address: int, count: int) -> None:
        """Takes it back; nothing happens where there is none."""
        self._library.smg_control_unwatch(self._state, address, count)
        self._watches.discard((address, count))

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
            self._state, self._engine._uch, int(self.has_breakpoint(pc)), int(go.is_step),
            go.span.start, go.span.stop,
        )  # fmt: skip

    def stop(self) -> Stop:
        """Why the core was stopped since it was resumed."""
        watched = _U32()
        reason = Reason(self._library.smg_control_reason(self._state, ctypes.byref(watched)))
        return Stop(reason, watched.value if reason is Reason.WATCHED else 0)

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
    path = compile_host_library({_SOURCE.name: _SOURCE.read_text(encoding="utf-8")})
    library = ctypes.CDLL(str(path))
    library.smg_control_init.argtypes = (_PTR, _PTR, _PTR, _U32)
    library.smg_control_watch.argtypes = (_PTR, _U32, _U32)
    library.smg_control_unwatch.argtypes = (_PTR, _U32, _U32)
    library.smg_control_resume.argtypes = (_PTR, _PTR, _U32, _U32, _U32, _U32)
    library.smg_control_reason.argtypes = (_PTR, _PTR)
    return library
