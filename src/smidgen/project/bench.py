"""Builds from folders as live devices on a bench."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from smidgen.compiler.artifact import Artifact
from smidgen.core.errors import InputError
from smidgen.emulate.gdb.machine import Killed
from smidgen.emulate.live.bench import Station, serve
from smidgen.emulate.live.clock import Pace
from smidgen.emulate.live.device import LiveDevice
from smidgen.emulate.live.lines import LOCAL, Line, listen, open_lines
from smidgen.emulate.live.tasks import task as find_task
from smidgen.project.build import board_of
from smidgen.targets.catalogue import Board
from smidgen.targets.catalogue import board as find_board

__all__ = ["Bench", "Killed", "Wishes", "open_bench", "serve"]


DEBUG_FOLDER = "debug"
_FIRMWARE = "firmware.elf"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a bench is set up.

    `board` is another board than the build's, `task` a task of MLPerf Tiny. Lines are TCP ports
    from `first_port` up (any free ones for 0), or pseudo-terminals for None. GDB may attach to the
    only device on `gdb_port` (0: any free one; None: it may not). `real_time` holds the devices
    back to the speed of their board.
    """

    board: str = ""
    task: str = ""
    first_port: int | None = None
    count: int = 1
    gdb_port: int | None = None
    real_time: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """Devices on their lines, what their timers show, and how to attach a debugger ("": none)."""

    stations: Sequence[Station]
    clock: str
    gdb_command: str = ""


@contextmanager
def open_bench(folder: Path, wishes: Wishes) -> Iterator[Bench]:
    """Devices that hold the build in `folder`, powered on, each on a line of its own.

    For a debugger, the firmware with debug information and its sources are left in `folder`.

    Raises:
        ArtifactError: `folder` is no build folder.
        UnknownName: there is no such board or task.
        InputError: a port cannot be had, or a debugger is wanted for several devices.
        EmulationError, DoesNotFit, ToolchainError: the board is not emulated or too small.
    """
    if wishes.gdb_port is not None and wishes.count > 1:
        raise InputError("--gdb", "serves one device", "leave out --count")
    artifact = Artifact.read(folder)
    board = find_board(wishes.board or board_of(folder, artifact))
    task = find_task(wishes.task)

    def station(device: LiveDevice, line: Line) -> Station:
        return Station(device, line, Pace(device.clock) if wishes.real_time else None)

    with ExitStack() as kept:
        lines = open_lines(wishes.count, wishes.first_port)
        for line in lines:
            kept.callback(line.close)
        if wishes.gdb_port is None:
            devices = [LiveDevice(artifact, board, task) for _ in lines]
            if wishes.count == 1:  # many would be too long in coming
                devices[0].rehearse()
            yield Bench(list(map(station, devices, lines)), _clock(board))
            return
        listener = kept.enter_context(listen(wishes.gdb_port))
        device = LiveDevice(artifact, board, task, listener)
        kept.callback(device.close)
        command = _gdb_command(folder, device, board, listener)
        yield Bench([station(device, lines[0])], _clock(board), command)


def _clock(board: Board) -> str:
    """What the devices' timers follow, and how far off that may be."""
    percent = board.core.cycle_error_percent
    if percent is None:
        return f"timer: an instruction a clock, since those of {board.core.name} are not modelled"
    return f"timer: modelled cycles at {board.clock_hz / 1e6:g} MHz, +-{percent} %"


def _gdb_command(folder: Path, device: LiveDevice, board: Board, listener: socket.socket) -> str:
    """Leaves what GDB reads in `folder`; what to type."""
    place = folder / DEBUG_FOLDER
    place.mkdir(exist_ok=True)
    for name, text in device.sources.items():
        (place / name).write_text(text, encoding="utf-8")
    (place / _FIRMWARE).write_bytes(device.elf)
    port = listener.getsockname()[1]
    program = "avr-gdb" if "avr" in board.core.features else "gdb-multiarch"  # which lacks AVR
    words = (program, str(place / _FIRMWARE), "-ex", f"directory {place}",
             "-ex", f"target remote {LOCAL}:{port}")  # fmt: skip
    return shlex.join(words)
