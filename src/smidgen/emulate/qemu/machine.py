"""A firmware on QEMU: functions are called on it from outside, as on `emulate.machine.Machine`."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from smidgen.core.errors import EmulationError
from smidgen.emulate.faults import Fault
from smidgen.emulate.installed import find
from smidgen.emulate.linked.firmware import Firmware, read_firmware
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.blocks import BlockTable, takes_plugins
from smidgen.emulate.qemu.boards import SLOW_HZ, QemuBoard, qemu_board
from smidgen.emulate.qemu.causes import STACK_OVERFLOW, explain
from smidgen.emulate.qemu.placement import board_record
from smidgen.emulate.qemu.session import CoreFault, Session
from smidgen.emulate.qemu.tally import Ran, Tally
from smidgen.emulate.qemu.waits import SimulatedWaits
from smidgen.emulate.remote.packets import INTERRUPT
from smidgen.emulate.remote.relay import Relay
from smidgen.emulate.remote.requests import Killed
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import Counts
from smidgen.targets.catalogue import Board

DEFAULT_SECONDS_LIMIT = 600.0
_FOREVER_SECONDS = 1e9
_IDLE_ROUNDS = 1 << 14
"""About a millisecond."""
PROGRAM = "qemu-system-arm"
NANOSECONDS_SHIFT = 7
"""An instruction takes 2**7 ns of virtual time: more than two ticks of the slowest counter."""
_MONITOR = Path(__file__).with_name("smg_monitor.c")
_MONITOR_SYMBOLS = ("smg_monitor_start", "smg_monitor_fault", "smg_monitor_nothing")
_EXCEPTIONS = 14
_PAINT = 0xA5
_NOWHERE = 0xFFFF_FFFF
"""An odd address, which no function has."""
_REGISTER_ARGUMENTS, _STACK_ARGUMENTS = 4, 4


class QemuMachine:
    """A firmware on the QEMU machine that has `board`'s core.

    It is linked for that machine's memory; `firmware` are symbols and sizes as linked for `board`
    itself. Instructions are counted exactly, by QEMU's virtual clock (-icount). Clocks are modelled
    where the core has a table and QEMU was built with plugins; waits for memory are those of the
    board, at the addresses that `firmware` has there.

    Args:
        program: what to compile.
        board: whose core is emulated.
        firmware: what was linked for `board`; default: what runs here, the monitor included, and
            then no waits are simulated.
        seconds_limit: of this computer's time, for one call.
        debugger: a listening socket to which GDB may connect; then no call has a limit.
        simulated_calls: in so many first calls of each function the waits for memory are simulated
            (see `SimulatedWaits`); such calls take longer.

    Raises:
        EmulationError: QEMU is not installed, or has no machine with this core.
        DoesNotFit, ToolchainError: the build fails.
    """

    def __init__(
        self,
        program: FirmwareSources,
        board: Board,
        firmware: Firmware | None = None,
        *,
        seconds_limit: float = DEFAULT_SECONDS_LIMIT,
        debugger: socket.socket | None = None,
        simulated_calls: int = 2,
    ) -> None:
        self.board = board
        self._host: QemuBoard = qemu_board(board.core)
        self._seconds_limit = seconds_limit if debugger is None else _FOREVER_SECONDS
        self._debugger = debugger
        self._relay: Relay | None = None
        self.own_sources: Mapping[str, str] = {_MONITOR.name: _MONITOR.read_text(encoding="utf-8")}
        self.elf = _link(program, self.own_sources, board, self._host)
        self.own_firmware = read_firmware(self.elf)
        self.firmware = firmware or self.own_firmware
        self._root: str | None = None
        self._layers: tuple[str, ...] = ()
        is_simulated = firmware is not None and board.waits_for_memory
        self._waits = SimulatedWaits(simulated_calls if is_simulated else 0)
        memory = board_record(board, self.firmware, self.own_firmware) if is_simulated else b""
        self._blocks = BlockTable(memory) if takes_plugins(find(PROGRAM)) else None
        self._session = self._start()
        self.clear_counts()
        self.reset()
        self._call_cost = self._calibrate()

    def reset(self) -> None:
        """Memory as after power-up and start-up code; the stack is painted anew."""
        if not self._session.alive:
            self._session = self._start()
        self._fill(range(self._ram.start, self._data_ram().stop), _PAINT)
        for span in self.own_firmware.zeroed:
            if span.start in self._ram:
                self._fill(span, 0)
        for image in self.own_firmware.images:
            if image.address in self._ram:
                self.write(image.address, image.content)

    def set_regions(self, root: str | None, layers: tuple[str, ...] = ()) -> None:
        """Attributes what function `root` runs to `layers`, the functions that it calls in order.

        Each call of `root` then runs twice from the same memory: as a whole, and layer by layer
        with the same arguments; both must leave the same memory. A layer that does nothing may have
        been left out by the C compiler.
        """
        if root is not None:
            self.own_firmware.function(root)
        self._root, self._layers = root, layers
        self._waits.forget()
        self.clear_counts()

    def clear_counts(self) -> None:
        """Forgets what was counted."""
        self._tally = Tally(self._layers, self.own_firmware, self.board, self._waits)

    def counts(self) -> Counts:
        """What ran since the counts were cleared, by layer and by function."""
        return self._tally.counts()

    def blocks(self) -> tuple[Block, ...]:
        """What ran since the counts were cleared, at the addresses of `own_firmware`."""
        return tuple(self._tally.blocks())

    def call(self, symbol: str, *args: int) -> int:
        """Calls the function `symbol` with up to 8 word arguments; returns its result register.

        Raises:
            UnknownName: no such function.
            EmulationError: the core faulted, or ran for longer than the limit.
        """
        if symbol != self._root or not self._layers:
            result, ran = self._invoke(symbol, args, simulated=self._waits.wants(symbol))
            self._tally.add_call(symbol, ran, {})
            return result
        return self._call_root(symbol, args)

    def read(self, address: int, count: int) -> bytes:
        """`count` bytes from `address`."""
        self._ask("R", (address, count), 0)
        return self._session.take(count)

    def write(self, address: int, data: bytes) -> None:
        """Puts `data` at `address`."""
        self._ask("W", (address, len(data)), 1, data)

    def symbol(self, name: str) -> tuple[int, int]:
        """Address and bytes of a function or object; raises UnknownName."""
        found = self.own_firmware.symbol(name)
        return found.address, found.bytes

    @property
    def stack_bytes(self) -> int:
        """The deepest stack of all calls since the last reset, by the paint that is gone."""
        stack = self.own_firmware.stack
        used = len(self.read(stack.start, len(stack)).lstrip(bytes([_PAINT])))
        return used + -used % self.board.core.word_bytes

    @property
    def debug_handle(self) -> int:
        """What is to be watched for a debugger that wants `attend`."""
        return self._relay.handle if self._relay else -1

    @property
    def attend_every_s(self) -> float | None:
        """All the time while there is a debugger; what it asks for meanwhile makes it wait."""
        return 0.0 if self._relay and self._relay.has_debugger else None

    def attend(self) -> None:
        """Keeps the core running for a while: QEMU hears no debugger while it waits for us.

        Raises Killed if a debugger has ended QEMU.
        """
        if self._relay:
            self._relay.hear()
            if self._relay.was_killed:
                raise Killed
            self._ask("I", (_IDLE_ROUNDS,), 1)

    def close(self) -> None:
        """Ends QEMU."""
        if self._relay:
            self._relay.close()
            self._relay = None
        self._session.close()

    def _call_root(self, symbol: str, args: tuple[int, ...]) -> int:
        data, (before, after) = self._data_ram(), self._host.copies
        self._copy(before, data.start, len(data))
        result, whole = self._invoke(symbol, args, simulated=self._waits.wants(symbol))
        self._copy(after, data.start, len(data))
        self._copy(data.start, before, len(data))
        parts = {
            index: self._invoke(layer, args)[1]
            for index, layer in enumerate(self._layers)
            if layer in self.own_firmware.symbols
        }
        self._require_same(after)
        self._tally.add_call(symbol, whole, parts)
        return result

    def _require_same(self, copy: int) -> None:
        data = self._data_ram()
        (differing,) = self._ask("D", (data.start, len(data), copy), 1)
        if differing:
            raise EmulationError(
                f"{self._root} on {self._host.machine}",
                f"leaves {differing} bytes of memory otherwise than its layers do one by one",
                "this is a bug in smidgen",
            )

    def _invoke(
        self, symbol: str, args: tuple[int, ...], *, simulated: bool = False
    ) -> tuple[int, Ran]:
        """The result of one call, and what it ran; its waits are noted if it is `simulated`."""
        stack = self._push(args[_REGISTER_ARGUMENTS:])
        operands = (self.own_firmware.function(symbol).address, stack, *args[:_REGISTER_ARGUMENTS])
        self._count_blocks(symbol, simulated)
        try:
            result, fast, slow = self._ask("C", operands, 3)
        except CoreFault as fault:
            found = Fault(fault.report.pc, explain(fault.report, self.own_firmware.stack))
            raise found.error(symbol, self.board, self.own_firmware) from None
        blocks = self._take_blocks()
        self._check_stack(symbol)
        ticks = _unwrapped(fast, slow * self._host.fast_hz // SLOW_HZ)
        nanoseconds = ticks * 1_000_000_000 / self._host.fast_hz
        instructions = round(nanoseconds / (1 << NANOSECONDS_SHIFT)) - self._call_cost
        return result, Ran(instructions, blocks)

    def _count_blocks(self, symbol: str, simulated: bool) -> None:
        """Starts to count blocks anew; with their waits, by layer, if memory is `simulated`."""
        table = self._blocks
        if table is None:
            return
        table.take()
        table.follow_memory(simulated)
        if symbol == self._root:
            root, known = self.own_firmware.function(symbol), self.own_firmware.symbols
            entries = [known[each].address if each in known else _NOWHERE for each in self._layers]
            table.set_regions(range(root.address, root.address + root.bytes), entries)
        else:
            table.set_regions(range(0), ())

    def _take_blocks(self) -> tuple[Block, ...] | None:
        """What ran since; None where QEMU cannot tell."""
        table = self._blocks
        if table is None:
            return None
        runs = table.take()
        table.follow_memory(False)
        self._waits.learn(runs.waits)
        return runs.blocks

    def _check_stack(self, symbol: str) -> None:
        """On some boards the addresses below the RAM swallow what is written to them."""
        bottom = self.own_firmware.stack.start
        if self.read(bottom, 4) != bytes([_PAINT]) * 4:
            raise Fault(bottom, STACK_OVERFLOW).error(symbol, self.board, self.own_firmware)

    def _push(self, args: tuple[int, ...]) -> int:
        """Puts `args` on the stack, as the Arm procedure call standard wants; the new top."""
        if len(args) > _STACK_ARGUMENTS:
            most = _REGISTER_ARGUMENTS + _STACK_ARGUMENTS
            raise EmulationError("call", f"has more than {most} arguments")
        words = struct.pack(f"<{len(args)}I", *(arg & 0xFFFF_FFFF for arg in args))
        top = (self.own_firmware.stack.stop - len(words)) & -16
        if words:
            self.write(top, words)
        return top

    def _calibrate(self) -> int:
        """What every call adds to its count: all but the one instruction of an empty function."""
        self._call_cost = 0
        return self._invoke("smg_monitor_nothing", ())[1].instructions - 1

    def _start(self) -> Session:
        stack = self.own_firmware.symbol("smg_monitor_stack")
        start, fault = (self.own_firmware.symbol(name).address | 1 for name in _MONITOR_SYMBOLS[:2])
        table = (stack.address + stack.bytes, start, *[fault] * _EXCEPTIONS)
        vectors = struct.pack(f"<{len(table)}I", *table)
        files = {"firmware.elf": self.elf, "vectors.bin": vectors}
        command = [find(PROGRAM), *_arguments(self._host)]
        if self._debugger is None:
            return self._new_session(command, files)
        if self._relay:
            self._relay.close()
        ours, theirs = socket.socketpair()
        with theirs:
            debugged = [*_dying_with_us(), *command, *_debug_arguments(theirs.fileno())]
            session = self._new_session(debugged, files, theirs.fileno())
        self._relay = Relay(
            self._debugger,
            ours,
            interrupt=lambda: ours.sendall(INTERRUPT),
            kill=lambda: session.send_signal(signal.SIGKILL),
        )
        return session

    def _new_session(
        self, command: list[str], files: Mapping[str, bytes], *handles: int
    ) -> Session:
        return Session(
            self._host.machine, command, files, self._seconds_limit, handles, self._blocks
        )

    def _ask(
        self, command: str, operands: tuple[int, ...], words: int, content: bytes = b""
    ) -> tuple[int, ...]:
        if not self._session.alive:
            raise EmulationError(
                f"QEMU {self._host.machine}", "has stopped after a fault", "reset the machine"
            )
        try:
            return self._session.exchange(command, operands, content, words)
        except EmulationError:
            if self._relay and self._relay.was_killed:
                raise Killed from None
            raise

    def _fill(self, span: range, value: int) -> None:
        self._ask("F", (span.start, len(span), value), 1)

    def _copy(self, to: int, start: int, count: int) -> None:
        self._ask("M", (to, count, start), 1)

    @property
    def _ram(self) -> range:
        return range(self._host.ram.address, self._host.ram.end)

    def _data_ram(self) -> range:
        """Behind the stack: initialised and zeroed data."""
        zeroed = [span.stop for span in self.own_firmware.zeroed]
        loaded = [image.address + len(image.content) for image in self.own_firmware.images]
        ends = [end for end in (*zeroed, *loaded) if end - 1 in self._ram]
        return range(self.own_firmware.stack.stop, max(ends, default=self.own_firmware.stack.stop))


def open_qemu(
    program: FirmwareSources, board: Board, debugger: socket.socket | None = None
) -> QemuMachine:
    """`program` on QEMU, its sizes as linked for `board`; raises as QemuMachine does."""
    return QemuMachine(program, board, read_firmware(program.link(board)), debugger=debugger)


def _link(
    program: FirmwareSources, monitor: Mapping[str, str], board: Board, host: QemuBoard
) -> bytes:
    joined = FirmwareSources(
        {**program.files, **monitor},
        (*program.entry_symbols, *_MONITOR_SYMBOLS),
        program.optimise,
        (*program.defines, f"SMG_COUNTERS={host.counters:#x}u"),
    )
    return joined.link(host.host_of(board))


def _unwrapped(fast: int, estimate: int) -> int:
    """The number of ticks that is `fast` modulo 2**32 and nearest to `estimate`."""
    wraps = round((estimate - fast) / (1 << 32))
    return fast + (max(wraps, 0) << 32)


def _arguments(board: QemuBoard) -> list[str]:
    return [
        "-M", board.machine, "-display", "none", "-monitor", "none", "-serial", "none",
        "-nic", "none", "-semihosting-config", "enable=on,target=native",
        "-icount", f"shift={NANOSECONDS_SHIFT},sleep=off",
        "-device", "loader,file=firmware.elf",
        "-device", f"loader,file=vectors.bin,addr={board.vectors:#x},force-raw=on",
    ]  # fmt: skip


def _dying_with_us() -> list[str]:
    """What QEMU is started by: stopped for a debugger, it would not notice that we were killed."""
    setpriv = shutil.which("setpriv")  # of util-linux
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _debug_arguments(handle: int) -> list[str]:
    return ["-chardev", f"socket,id=debugger,fd={handle}", "-gdb", "chardev:debugger"]
