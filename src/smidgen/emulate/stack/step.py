"""What one instruction does to the stack pointer, and where execution goes from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_NUMBER = re.compile(r"#?(-?)(0x[0-9a-f]+|\d+)$")
LOOK_BACK = 8
"""How many instructions back a register's value is looked for."""
MOVES_BY_UNKNOWN = "moves the stack pointer by what is not a constant"
POINTER = "calls through a pointer"

ReadWord = Callable[[int], int]


class UnknownError(Exception):
    """Carries why there is no bound."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction: bytes pushed (popped where negative), what it calls, what may run next.

    `goes_anywhere` marks a jump to a register: a table's, or a pointer's. `problem` says why
    nothing can be told.
    """

    pushes: int = 0
    calls: tuple[int, ...] = ()
    next: tuple[int, ...] = ()
    goes_anywhere: bool = False
    problem: str = ""


def number(text: str) -> int | None:
    """A constant as disassemblers print it; None for anything else."""
    found = _NUMBER.match(text.strip())
    if not found:
        return None
    value = int(found.group(2), 0)
    return -value if found.group(1) else value


def signed(value: int) -> int:
    """A 32-bit word as a number with a sign."""
    return value - (1 << 32) if value >> 31 & 1 else value
