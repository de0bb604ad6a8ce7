"""An AVR on simavr on which a debugger can stop what is called."""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from smidgen.core.errors import EmulationError
from smidgen.emulate.avr.machine import (
    DATA_SPACE,
    DEFAULT_INSTRUCTION_LIMIT,
    Call,
    Outcome,
    SimavrMachine,
)
from smidgen.emulate.gdb.control import Go, Reason, Stop, Watched
from smidgen.emulate.gdb.desk import Debugged, Desk
from smidgen.emulate.gdb.registers import Register, memory_map
from smidgen.targets.catalogue import Board, Core

_PAUSE_INSTRUCTIONS = 1_000_000
"""So often a running core is asked whether its debugger wants something."""
_STATUS, _STACK_POINTER, _PC = 32, 33, 34
_STACK_POINTER_AT = 0x5D
_SLEEP_BYTES = 2
_RETURN_BYTES = 4
"""More than an address in flash takes on the stack."""
_REASONS = {
    Outcome.BREAKPOINT: Reason.BREAKPOINT,
    Outcome.STEPPED: Reason.STEPPED,
    Outcome.WATCHED: Reason.WATCHED,
    Outcome.CRASHED: Reason.FAULT,
    Outcome.STACK_OVERFLOW: Reason.FAULT,
}
# As avr-tdep.c of GDB numbers them; the program counter counts bytes.
_REGISTERS = (
    *(Register(f"r{number}", number, 1, "int8", number) for number in range(32)),
    Register("SREG", _STATUS, 1, "int8", _STATUS),
    Register("SP", _STACK_POINTER, 2, "data_ptr", _STACK_POINTER),
    Register("pc", _PC, 4, "code_ptr", _PC),
)


class _Debug(ctypes.Structure):
    """The head of simulator.c's debug_t."""

    _fields_ = (
        ("breakpoints", ctypes.c_char_p),
        ("is_step", ctypes.c_uint32),
        ("span_start", ctypes.c_uint32),
        ("span_end", ctypes.c_uint32),
        ("pause_after", ctypes.c_uint32),
        ("ran", ctypes.c_uint32),
        ("goes_on", ctypes.c_uint32),
        ("watched", ctypes.c_uint32),
    )


@dataclass(slots=True)
class AvrControl:
    """Where one simulated core is to stop."""

    library: ctypes.CDLL
    avr: int
    flash_bytes: int
    state: ctypes.Array[ctypes.c_char] = field(init=False)
    _marks: ctypes.Array[ctypes.c_char] = field(init=False)
    _watches: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.state = ctypes.create_string_buffer(self.library.smg_simulator_debug_bytes())
        self._marks = ctypes.create_string_buffer(self.flash_bytes // 2)
        head = self._head
        head.breakpoints = ctypes.cast(self._marks, ctypes.c_char_p)
        head.pause_after = _PAUSE_INSTRUCTIONS

    @property
    def _head(self) -> _Debug:
        return _Debug.from_buffer(self.state)

    def has_breakpoint(self, address: int) -> bool:
        """Whether the core stops before it runs the instruction at `address`."""
        return address < self.flash_bytes and self._marks[address // 2] != b"\0"

    def add_breakpoint(self, address: int) -> None:
        """Stops the core before the instruction at `address` from now on."""
        if address < self.flash_bytes:
            self._marks[address // 2] = b"\1"

    def remove_breakpoint(self, address: int) -> None:
        """Takes it back; nothing happens where there is none."""
        if address < self.flash_bytes:
            self._marks[address // 2] = b"\0"

    def watch(self, what: Watched, address: int, count: int) -> str:
        """Stops the core once these bytes have changed; why it cannot, or ""."""
        if what is not Watched.CHANGES:
            return "simavr tells of changes only: use watch"
        place = (address - DATA_SPACE, count)
        if place[0] < 0:
            return f"{address:#x} is no RAM"
        if not self.library.smg_simulator_watch(self.avr, self.state, *place):
            return "too many places are watched, or too many bytes"
        self._watches.add(place)
        return ""

    def unwatch(self, what: Watched, address: int, count: int) -> None:
        """Takes it back; nothing happens where there is none."""
        del what
        place = (address - DATA_SPACE, count)
        self.library.smg_simulator_unwatch(self.state, *place)
        self._watches.discard(place)

    def clear(self) -> None:
        """Takes back all breakpoints and watched memory."""
        ctypes.memset(self._marks, 0, self.flash_bytes // 2)
        for address, count in list(self._watches):
            self.unwatch(Watched.CHANGES, address + DATA_SPACE, count)

    def resume(self, go: Go) -> None:
        """Prepares for running on; what is watched may have been changed by the debugger."""
        for place in self._watches:
            self.library.smg_simulator_unwatch(self.state, *place)
            self.library.smg_simulator_watch(self.avr, self.state, *place)
        head = self._head
        head.goes_on, head.is_step = 1, int(go.is_step)
        head.span_start, head.span_end = go.span.start, go.span.stop

    def stop(self, outcome: Outcome) -> Stop:
        """What the debugger is told of `outcome`."""
        watched = self._head.watched + DATA_SPACE if outcome is Outcome.WATCHED else 0
        return Stop(_REASONS[outcome], watched)


class DebuggedAvr(Debugged, SimavrMachine):
    """A SimavrMachine that halts where a debugger, which connects to a port, wants it to.

    What holds for `gdb.machine.DebuggedMachine` holds here, arguments and errors too.
    """

    def __init__(self, elf: bytes, board: Board, listener: socket.socket, rests_in: str) -> None:
        super().__init__(elf, board)
        self.elf = elf
        self.own_sources: Mapping[str, str] = {}
        flash_bytes = self._back + 2
        if rests_in:
            self._back = self.symbol(rests_in)[0] + _SLEEP_BYTES
        self.registers = _REGISTERS
        self.description = _description(board.core)
        self.memory_map = memory_map(board)
        self.control = AvrControl(self._library, self._avr, flash_bytes)
        self._desk = Desk(listener, self, self._rest)
        self._rest()

    # -- what the stub asks for

    def read_register(self, register: Register) -> bytes:
        """Its content, little-endian."""
        library, number = self._library, register.number
        if number == _PC:
            return int(library.smg_simulator_pc(self._avr)).to_bytes(4, "little")
        if number == _STATUS:
            return bytes([library.smg_simulator_status(self._avr)])
        place = _STACK_POINTER_AT if number == _STACK_POINTER else number
        return self._data(place, register.bytes)

    def write_register(self, register: Register, content: bytes) -> None:
        """Sets it."""
        library, number = self._library, register.number
        value = int.from_bytes(content, "little")
        if number == _PC:
            library.smg_simulator_set_pc(self._avr, value % self.control.flash_bytes & ~1)
        elif number == _STATUS:
            library.smg_simulator_set_status(self._avr, value)
        else:
            place = _STACK_POINTER_AT if number == _STACK_POINTER else number
            library.smg_simulator_write(self._avr, place, content, len(content))

    def read_memory(self, address: int, count: int) -> bytes:
        """As many of these bytes as lie in the flash, or in registers and RAM."""
        ram = self.board.ram[0]
        if address < self.control.flash_bytes:
            count = min(count, self.control.flash_bytes - address)
            content = ctypes.create_string_buffer(count)
            self._library.smg_simulator_read_flash(self._avr, address, content, count)
            return content.raw
        if not DATA_SPACE <= address < ram.end:
            raise EmulationError(f"{address:#010x}", "is no memory")
        return self._data(address - DATA_SPACE, min(count, ram.end - address))

    def write_memory(self, address: int, content: bytes) -> None:
        """Raises EmulationError for what is no RAM."""
        self.write(address, content)

    def code_address(self, address: int) -> int:
        """`address`, which has no mark."""
        return address

    def monitor(self, command: str) -> str | None:
        """What a `monitor` command prints; None for an unknown one."""
        if command == "cycles":
            counts = self.counts()
            cycles = f"modelled cycles {counts.modelled_cycles:,}\n"
            return f"instructions {counts.instructions:,}\n{cycles}"
        if command in ("", "help"):
            return (
                "monitor cycles  instructions and modelled cycles since power-up\n"
                "monitor reset   start the device anew, stopped at its first instruction\n"
            )
        return None

    # -- how a call runs

    def _run(self, call: Call) -> Outcome:
        """Runs until the call has returned or faulted, and serves the debugger at each stop."""
        first = self._desk.stop_at_start(call.function)
        if first is not None:
            self._desk.consult(first)
        outcome = Outcome.PAUSED
        while outcome not in (Outcome.RETURNED, Outcome.RAN_TOO_LONG):
            outcome = self._run_to_stop(call)
            if outcome in (Outcome.CRASHED, Outcome.STACK_OVERFLOW):
                self._desk.consult(self.control.stop(outcome))
                return outcome
            if outcome in _REASONS:
                self._desk.consult(self.control.stop(outcome))
        return outcome

    def _run_to_stop(self, call: Call) -> Outcome:
        """Goes on until the call has ended or the debugger is to be told something."""
        self.control.resume(self._desk.go)
        while True:
            outcome = self._run_on(call, self.control.state)
            if outcome is Outcome.RETURNED:
                last = self._desk.stop_at_end(self._back)
                if last is not None:
                    self._desk.consult(last)
            if outcome is not Outcome.PAUSED:
                return outcome
            if self._desk.is_called():
                self._desk.consult(Stop(Reason.INTERRUPTED))
                self.control.resume(self._desk.go)

    def _run_what_the_debugger_calls(self) -> None:
        """It may have set the program counter, as GDB does for `print f(1)`."""
        pc = self._library.smg_simulator_pc(self._avr)
        if pc != self._back:
            self._finish(self._call_of(pc, DEFAULT_INSTRUCTION_LIMIT), "what the debugger called")

    def reset(self) -> None:
        """As SimavrMachine.reset; the stack starts with an address at which no debugger goes on."""
        super().reset()
        self.write(self.firmware.stack.stop - _RETURN_BYTES, bytes(_RETURN_BYTES))

    def _call_of(self, function: int, instruction_limit: int) -> Call:
        call = super()._call_of(function, instruction_limit)
        call.stack_end -= _RETURN_BYTES
        return call

    def _rest(self) -> None:
        """Stands where the device waits for calls, its stack empty."""
        top = self.firmware.stack.stop - DATA_SPACE - 1 - _RETURN_BYTES
        pointer = top.to_bytes(2, "little")
        self._library.smg_simulator_write(self._avr, _STACK_POINTER_AT, pointer, 2)
        self._library.smg_simulator_set_pc(self._avr, self._back)

    def _data(self, place: int, count: int) -> bytes:
        content = ctypes.create_string_buffer(count)
        self._library.smg_simulator_read(self._avr, place, content, count)
        return content.raw


def _description(core: Core) -> str:
    """The document that GDB asks for as `target.xml`: it knows the registers of an AVR itself."""
    architecture = f"avr:{core.isa.removeprefix('avr')}"
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE target SYSTEM "gdb-target.dtd">\n'
        f'<target version="1.0">\n<architecture>{architecture}</architecture>\n</target>\n'
    )
