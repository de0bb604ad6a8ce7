"""One live device: the firmware on the emulated core, with its UART and its timer."""

from __future__ import annotations

import socket
from collections.abc import Callable

from smidgen.compiler.artifact import Artifact
from smidgen.emulate.emulators import Debugged, open_machine
from smidgen.emulate.gdb.machine import PowerCycle
from smidgen.emulate.live.clock import Clock
from smidgen.emulate.live.firmware import live_program
from smidgen.emulate.live.tasks import OWN, Task
from smidgen.emulate.timing.cycles import Counts
from smidgen.targets.catalogue import Board

_RX_BYTES = 256
_IDLE, _BUSY, _WANTS_TIME, _WANTS_INFERENCE = range(4)
_MICROSECONDS = 1_000_000
_WATCHED_CALLS = 2


class LiveDevice:
    """A build that obeys the MLPerf Tiny device protocol.

    Parsing, inference and printing run on the emulated core. The timer shows modelled clocks since
    power-up over the board's clock; on a core whose clocks are not modelled, an instruction counts
    as one. Time stands still while the device waits for characters.

    GDB may connect to `debugger`, a listening socket. What it then asks for can make any method
    wait while the core is stopped, and raise `gdb.machine.Killed`.

    Raises DoesNotFit, ToolchainError, EmulationError, UnsupportedType.
    """

    def __init__(
        self,
        artifact: Artifact,
        board: Board,
        task: Task = OWN,
        debugger: socket.socket | None = None,
    ) -> None:
        self._program = live_program(artifact, board, task)
        self._machine = open_machine(self._program, board, debugger=debugger)
        self._debugged = self._machine if isinstance(self._machine, Debugged) else None
        names = ("smg_uart_rx", "smg_uart_tx", "smg_uart_tx_count", "smg_device_status")
        self._rx, self._tx, self._tx_count, self._status_at = map(self._address, names)
        self._timer = (self._address("smg_timer_s"), self._address("smg_timer_us"))
        self.clock = Clock(self._machine)
        self._waiting = bytearray()
        self._status = _IDLE
        self.power_on()

    def power_on(self) -> bytes:
        """Starts anew; returns what the device says before it waits for commands."""
        while True:
            try:
                self._boot()
                return self._until_idle(self._turn)
            except PowerCycle:
                continue

    def rehearse(self) -> None:
        """Makes the inferences that are watched closely, which take ten times as long as others.

        Then none does later, when a host may give up on the device. It starts anew afterwards.
        """
        for _ in range(_WATCHED_CALLS):
            self._machine.call("smg_device_infer")
        self.power_on()

    @property
    def elf(self) -> bytes:
        """The firmware that a debugger is attached to, as an ELF file with debug information."""
        return self._debugged.elf if self._debugged else b""

    @property
    def sources(self) -> dict[str, str]:
        """The C files that the firmware was made of, by name."""
        return {**self._program.files, **(self._debugged.own_sources if self._debugged else {})}

    @property
    def debug_handle(self) -> int:
        """What is to be watched for a debugger that wants `attend`; -1 for nothing."""
        return self._debugged.debug_handle if self._debugged else -1

    @property
    def attend_every_s(self) -> float | None:
        """How often a debugger wants `attend` even so; None: never."""
        return self._debugged.attend_every_s if self._debugged else None

    def attend(self) -> bytes:
        """Serves the debugger while the device has nothing to do; what the device says then."""
        if self._debugged:
            try:
                self._debugged.attend()
            except PowerCycle:
                return self.power_on()
        return b""

    def close(self) -> None:
        """Lets a debugger go."""
        if self._debugged:
            self._debugged.close()

    @property
    def waiting_bytes(self) -> int:
        """Characters that were sent to the device and not taken yet."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether the device has nothing to do until it is sent something."""
        return self._status == _IDLE and not self._waiting

    def counts(self) -> Counts:
        """What has run since power-up."""
        return self._machine.counts()

    @property
    def time_us(self) -> int:
        """Microseconds since power-up, by modelled clocks."""
        return self.clock.read_us()

    def send(self, characters: bytes) -> None:
        """Puts characters on the line to the device, which takes them in its turns."""
        self._waiting += characters

    def turn(self) -> bytes:
        """Lets the device do one thing, at most one inference; returns what it says meanwhile."""
        try:
            return self._turn()
        except PowerCycle:
            return self.power_on()

    def ask(self, characters: bytes) -> bytes:
        """Sends `characters` and returns all that the device says until it waits again."""
        self.send(characters)
        return self._until_idle(self.turn)

    def _boot(self) -> None:
        self._machine.reset()
        self._machine.clear_counts()
        self.clock.restart()
        self._waiting.clear()
        self._machine.call("smg_device_boot")
        self._refresh()

    def _turn(self) -> bytes:
        if self._status == _IDLE:
            self._receive()
        elif self._status == _WANTS_INFERENCE:
            self._machine.call("smg_device_infer")
        else:
            if self._status == _WANTS_TIME:
                self._set_timer()
            self._machine.call("smg_device_step")
        self._refresh()
        return self._take_output()

    def _until_idle(self, turn: Callable[[], bytes]) -> bytes:
        said = bytearray(self._take_output())
        while not self.is_idle:
            said += turn()
        return bytes(said)

    def _receive(self) -> None:
        characters = bytes(self._waiting[:_RX_BYTES])
        self._machine.write(self._rx, characters)
        taken = self._machine.call("smg_device_receive", len(characters))
        del self._waiting[:taken]

    def _take_output(self) -> bytes:
        count = self._word(self._tx_count)
        if not count:
            return b""
        self._machine.write(self._tx_count, bytes(4))
        return self._machine.read(self._tx, count)

    def _set_timer(self) -> None:
        for address, part in zip(self._timer, divmod(self.time_us, _MICROSECONDS), strict=True):
            self._machine.write(address, part.to_bytes(4, "little"))

    def _refresh(self) -> None:
        self._status = self._word(self._status_at)

    def _word(self, address: int) -> int:
        return int.from_bytes(self._machine.read(address, 4), "little")

    def _address(self, name: str) -> int:
        return self._machine.symbol(name)[0]
