"""The emulators, and what each of them offers to the rest of smidgen."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from smidgen.core.errors import EmulationError, UnknownName
from smidgen.emulate.avr.machine import SimavrMachine, why_no_simavr
from smidgen.emulate.gdb.avr import DebuggedAvr
from smidgen.emulate.gdb.machine import DebuggedMachine
from smidgen.emulate.installed import why_missing
from smidgen.emulate.linked.firmware import Firmware
from smidgen.emulate.linux.machine import open_linux, program_for
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.machine import PROGRAM, open_qemu
from smidgen.emulate.timing.cycles import Counts
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import Board, Core
from smidgen.targets.gnu import why_not_compiled


class EmulatedMachine(Protocol):
    """A board that holds a firmware; functions are called on it from outside."""

    board: Board
    firmware: Firmware

    def reset(self) -> None:
        """Memory as after power-up; the stack is painted anew."""

    def set_regions(self, root: str | None, layers: tuple[str, ...] = ()) -> None:
        """Attributes what `root` runs to the functions `layers`."""

    def clear_counts(self) -> None:
        """Forgets what was counted."""

    def counts(self) -> Counts:
        """What ran since the counts were cleared."""

    def call(self, symbol: str, *args: int) -> int:
        """Calls a function; returns its result register."""

    def read(self, address: int, count: int) -> bytes:
        """Bytes of memory."""

    def write(self, address: int, data: bytes) -> None:
        """Puts bytes into memory."""

    def symbol(self, name: str) -> tuple[int, int]:
        """Address and bytes of a function or object."""

    @property
    def stack_bytes(self) -> int:
        """The deepest stack since the last reset."""


@runtime_checkable
class Debugged(Protocol):
    """A machine to which a debugger may be attached.

    It wants `attend` between calls when there is something to read at `debug_handle` (-1: never),
    and in any case every so many seconds (None: no). `elf` is the file with debug information that
    runs, and `own_sources` are C files by name that the emulator adds to the program's.
    """

    elf: bytes
    own_sources: Mapping[str, str]

    @property
    def debug_handle(self) -> int:
        """What is to be watched."""

    @property
    def attend_every_s(self) -> float | None:
        """How often to attend."""

    def attend(self) -> None:
        """Serves the debugger; takes for as long as it keeps the core stopped."""

    def close(self) -> None:
        """Lets the debugger go."""


Opener = Callable[[FirmwareSources, Board, socket.socket | None], EmulatedMachine]


def _open_unicorn(
    program: FirmwareSources, board: Board, debugger: socket.socket | None
) -> EmulatedMachine:
    elf = program.link(board)
    if debugger is None:
        return Machine(elf, board)
    return DebuggedMachine(elf, board, debugger, program.rests_in)


def _open_simavr(
    program: FirmwareSources, board: Board, debugger: socket.socket | None
) -> EmulatedMachine:
    elf = program.link(board)
    if debugger is None:
        return SimavrMachine(elf, board)
    return DebuggedAvr(elf, board, debugger, program.rests_in)


EMULATORS: Mapping[str, Opener] = MappingProxyType(
    {
        "unicorn": _open_unicorn,
        "qemu": open_qemu,
        "qemu-user": open_linux,
        "simavr": _open_simavr,
    }
)


def why_not_at_hand(core: Core) -> str:
    """Why no emulator runs builds for `core` on this computer; "" where one does."""
    if not core.is_emulated:
        return core.not_emulated
    if core.emulator == "qemu":
        return why_missing(PROGRAM)
    if core.emulator == "qemu-user":
        return why_missing(program_for(core))
    if core.emulator == "simavr":
        return why_not_compiled(core) or why_no_simavr()
    return ""


def open_machine(
    program: FirmwareSources,
    board: Board,
    emulator: str = "",
    debugger: socket.socket | None = None,
) -> EmulatedMachine:
    """`program` on the emulator called `emulator`; default: the one of the board's core.

    GDB may connect to `debugger`, a listening socket. Raises UnknownName for another emulator,
    DoesNotFit, ToolchainError and EmulationError.
    """
    if not emulator and not board.core.is_emulated:
        raise EmulationError(
            f"board {board.name}",
            f"its core {board.core.name} is not emulated: {board.core.not_emulated}",
            "smidgen compile makes the C for it, not verified on an emulated core",
        )
    wanted = emulator or board.core.emulator
    if wanted not in EMULATORS:
        raise UnknownName("emulator", wanted, EMULATORS)
    return EMULATORS[wanted](program, board, debugger)
