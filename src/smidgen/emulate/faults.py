"""Turns what the emulator reports into an error that names place and probable cause."""

from __future__ import annotations

from dataclasses import dataclass

from unicorn import (
    UC_MEM_FETCH,
    UC_MEM_FETCH_PROT,
    UC_MEM_FETCH_UNMAPPED,
    UC_MEM_WRITE,
    UC_MEM_WRITE_PROT,
    UC_MEM_WRITE_UNMAPPED,
)

from smidgen.core.errors import EmulationError
from smidgen.emulate.firmware import Firmware
from smidgen.targets.catalogue import Board

_WRITES = (UC_MEM_WRITE, UC_MEM_WRITE_PROT, UC_MEM_WRITE_UNMAPPED)
_FETCHES = (UC_MEM_FETCH, UC_MEM_FETCH_PROT, UC_MEM_FETCH_UNMAPPED)
# How far below the stack's end an access is still taken for an overflow and not for a stray one.
_STACK_REACH_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """What stopped the core at `pc`; `number` is the emulator's exception number, if any."""

    pc: int
    why: str
    number: int | None = None

    def error(self, symbol: str, board: Board, firmware: Firmware) -> EmulationError:
        """The error to raise for a fault during a call of `symbol`."""
        function = firmware.function_at(self.pc)
        place = f"{function.name}+{self.pc - function.address:#x}" if function else "no function"
        why = self.why or f"exception {self.number} of the emulated core"
        return EmulationError(
            f"{symbol} on {board.name}", f"{why}, at pc {self.pc:#010x} in {place}", _hint(why)
        )


def _hint(why: str) -> str:
    if why.startswith("stack overflow"):
        return "reserve more stack (reserve_stack_bytes), or keep less on it"
    if why.startswith("ran more than"):
        return "raise instruction_limit if the code is meant to take this long"
    return ""


def explain(board: Board, firmware: Firmware, access: int, address: int, sp: int) -> str:
    """The probable cause of a forbidden access to `address` with the stack pointer at `sp`."""
    if access in _FETCHES:
        return "jump to where no code is"
    stack = firmware.stack
    near = range(stack.start - _STACK_REACH_BYTES, stack.start)
    if address in near and (sp < stack.start or sp - address < _STACK_REACH_BYTES):
        return "stack overflow"
    verb = "write to" if access in _WRITES else "read from"
    if any(region.address <= address < region.end for region in board.flash):
        return f"{verb} flash"
    if address < 1024:
        return f"{verb} a null pointer"
    return f"{verb} an address where the board has no memory"
