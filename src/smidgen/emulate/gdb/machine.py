"""An emulated board on which a debugger can stop what is called."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from smidgen.core.errors import EmulationError
from smidgen.emulate.gdb.control import MOST_WATCHES, Control, Reason, Stop
from smidgen.emulate.gdb.desk import Debugged, Desk
from smidgen.emulate.gdb.registers import Register, features_of, memory_map, target_description
from smidgen.emulate.remote.requests import Killed, PowerCycle
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import Board

__all__ = ["DebuggedMachine", "Killed", "PowerCycle"]

_PAUSE_INSTRUCTIONS = 1_000_000
"""So often a running core is asked whether its debugger wants something."""
_FAULT_WORDS = "undefined instruction"
_HELP = f"""\
monitor cycles  instructions and modelled cycles since power-up
monitor reset   start the device anew, stopped at its first instruction
monitor help    this
Also: any number of breakpoints; {MOST_WATCHES} watched places of any size (watch, rwatch, awatch).
"""


class DebuggedMachine(Debugged, Machine):
    """A Machine that halts where a debugger, which connects to a port, wants it to.

    While it is stopped, the call from outside does not return: to those who called the core is
    slow. Between calls it stands where it waits to be called again, in the function `rests_in`.
    Instructions count as if it had never been stopped; modelled clocks may differ by what a
    pipeline gains from instructions in a row, where a stop came between them.

    Args:
        elf, board: as for Machine.
        listener: the port, listening.
        rests_in: a function whose first instruction is WFI; "": calls return to no function.

    Raises:
        PowerCycle, Killed: from calls, when the debugger says so.
    """

    def __init__(
        self, elf: bytes, board: Board, listener: socket.socket, rests_in: str = ""
    ) -> None:
        super().__init__(elf, board)
        self.elf = elf
        self.own_sources: Mapping[str, str] = {}
        if rests_in:
            self._trap = self.symbol(rests_in)[0] + (2 if board.core.is_arm else 4)
        features = features_of(board.core)
        self.registers = tuple(each for feature in features for each in feature.registers)
        self.description = target_description(board.core, features)
        self.memory_map = memory_map(board)
        self.control = Control(self._engine, self.firmware.code, board.core)
        self._desk = Desk(listener, self, self._stand_by)
        self._counter.pause_after(_PAUSE_INSTRUCTIONS)
        self._stand_by()

    # -- what the stub asks for

    def read_register(self, register: Register) -> bytes:
        """Its content, little-endian."""
        value = int(self._engine.reg_read(register.unicorn)) & (1 << 8 * register.bytes) - 1
        return value.to_bytes(register.bytes, "little")

    def write_register(self, register: Register, content: bytes) -> None:
        """Sets it."""
        value = int.from_bytes(content, "little")
        if register.unicorn == self._abi.pc:
            self._set_pc(value)
        else:
            self._engine.reg_write(register.unicorn, value)

    def read_memory(self, address: int, count: int) -> bytes:
        """As many of these bytes as lie in the region of the first one."""
        for region in self.board.flash + self.board.ram:
            if region.address <= address < region.end:
                return self.read(address, min(count, region.end - address))
        raise EmulationError(f"{address:#010x}", "is no memory")

    def write_memory(self, address: int, content: bytes) -> None:
        """Raises EmulationError for what is no RAM."""
        if not any(each.address <= address < each.end for each in self.board.ram):
            raise EmulationError(f"{address:#010x}", "is no RAM")
        self.write(address, content)

    def code_address(self, address: int) -> int:
        """`address` without the bit that marks Thumb code."""
        return address & ~self._abi.code_bit & 0xFFFF_FFFF

    def monitor(self, command: str) -> str | None:
        """What a `monitor` command prints; None for an unknown one."""
        if command == "cycles":
            return self._cycles_text()
        if command in ("", "help"):
            return _HELP
        return None

    # -- how a call runs

    def _execute(self, start: int) -> None:
        self._set_pc(start)
        first = self._desk.stop_at_start(start)
        if first is not None:
            self._desk.consult(first)
        self._run()

    def _run(self) -> None:
        """Runs until the call has returned or faulted, and serves the debugger at each stop."""
        while self._pc != self._trap:
            stop = self._run_to_stop()
            if stop is not None:
                self._desk.consult(stop)
            if self._fault or self._counter.reached_limit or self._counter.unaligned_access():
                return

    def _run_to_stop(self) -> Stop | None:
        """Goes on until the debugger is to be told something; None when the call has returned."""
        self.control.resume(self._pc, self._desk.go)
        while True:
            self._go_on(self._pc)
            if self._fault or self._counter.unaligned_access():
                return Stop(self._reason_of_fault())
            stop = self.control.stop()
            if stop.reason is not Reason.NONE:
                self._counter.interrupted(self._pc)
                return stop
            if not self._counter.is_paused:
                return self._desk.stop_at_end(self._pc)
            if self._desk.is_called():
                return Stop(Reason.INTERRUPTED)

    def _reason_of_fault(self) -> Reason:
        is_undefined = self._fault is not None and self._fault.why == _FAULT_WORDS
        return Reason.UNDEFINED if is_undefined else Reason.FAULT

    def _run_what_the_debugger_calls(self) -> None:
        """It may have set the program counter, as GDB does for `print f(1)`."""
        if self._pc != self._trap:
            self._fault = None
            self._run()
            self._raise_fault("what the debugger called", _NO_LIMIT)

    def _stand_by(self) -> None:
        """Stands where it waits to be called."""
        self._set_pc(self._trap)

    def _set_pc(self, address: int) -> None:
        self._engine.reg_write(self._abi.pc, self._abi.code_address(address))

    def _cycles_text(self) -> str:
        counts = self.counts()
        cycles = counts.modelled_cycles
        modelled = "not modelled" if cycles is None else f"{cycles:,}"
        return f"instructions {counts.instructions:,}\nmodelled cycles {modelled}\n"


_NO_LIMIT = 0
