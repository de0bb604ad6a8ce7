"""The emulators, and what each of them offers to the rest of smidgen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from smidgen.core.errors import EmulationError, UnknownName
from smidgen.emulate.cycles import Counts
from smidgen.emulate.firmware import Firmware
from smidgen.emulate.machine import Machine
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.machine import open_qemu
from smidgen.targets.catalogue import Board


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


def _open_unicorn(program: FirmwareSources, board: Board) -> Machine:
    return Machine(program.link(board), board)


EMULATORS: Mapping[str, Callable[[FirmwareSources, Board], EmulatedMachine]] = MappingProxyType(
    {"unicorn": _open_unicorn, "qemu": open_qemu}
)


def open_machine(program: FirmwareSources, board: Board, emulator: str = "") -> EmulatedMachine:
    """`program` on the emulator called `emulator`; default: the one of the board's core.

    Raises UnknownName for another emulator, DoesNotFit, ToolchainError and EmulationError.
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
    return EMULATORS[wanted](program, board)
