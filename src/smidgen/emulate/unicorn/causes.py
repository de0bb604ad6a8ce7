"""The probable cause of a forbidden access that Unicorn reports."""

from __future__ import annotations

from unicorn import (
    UC_MEM_FETCH,
    UC_MEM_FETCH_PROT,
    UC_MEM_FETCH_UNMAPPED,
    UC_MEM_WRITE,
    UC_MEM_WRITE_PROT,
    UC_MEM_WRITE_UNMAPPED,
)

from smidgen.emulate.linked.firmware import Firmware
from smidgen.targets.catalogue import Board

_WRITES = (UC_MEM_WRITE, UC_MEM_WRITE_PROT, UC_MEM_WRITE_UNMAPPED)
_FETCHES = (UC_MEM_FETCH, UC_MEM_FETCH_PROT, UC_MEM_FETCH_UNMAPPED)
# How far below the stack's end an access is still taken for an overflow and not for a stray one.
_STACK_REACH_BYTES = 64 * 1024


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
