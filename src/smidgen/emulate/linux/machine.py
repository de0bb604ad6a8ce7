"""A program on QEMU's user mode: functions are called on it, as on `emulate.machine.Machine`."""

from __future__ import annotations

import signal
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, replace
from pathlib import Path

from smidgen.core.errors import EmulationError
from smidgen.emulate.installed import find
from smidgen.emulate.linked.firmware import Firmware, Sizes, Symbol, read_firmware
from smidgen.emulate.linux.blocks import RegionBlocks
from smidgen.emulate.linux.executable import linux_program
from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.session import Session
from smidgen.emulate.remote.relay import Relay
from smidgen.emulate.remote.requests import Killed
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import Counts, count
from smidgen.targets.catalogue import Board, Core, MemoryRegion
from smidgen.targets.toolchain import compile_object

_HERE = Path(__file__).parent
_SERVER = _HERE / "smg_server.c"
_SERVER_PREFIX = "smg_server_"
_SECONDS_LIMIT = 600.0
_FOREVER_SECONDS = 1e9
_SECONDS_TO_START, _SECONDS_BETWEEN_TRIES = 20.0, 0.01
_STUB = "debugger"
"""The socket on which QEMU's stub listens, in the folder where it runs."""
_SERVER_STACK_BYTES = 256
"""The top of the stack, which the server uses itself, and paints below its own frames."""
_PAINT = b"\xa5"
_MOST_ARGUMENTS = 4
_ENTRY_SYMBOLS = ("smg_server_start",)
_MEGABYTE = 1 << 20
_CODE = MemoryRegion("code", 0x0010_0000, 128 * _MEGABYTE, 0)
_RAM = MemoryRegion("ram", 0x1000_0000, 1024 * _MEGABYTE, 0)
# Without a C library the compiler's targets for bare cores do: the code of functions is the same.
_BARE_TARGETS = {"arm-linux-musleabihf": "arm-freestanding-eabihf",
                 "aarch64-linux-musl": "aarch64-freestanding"}  # fmt: skip
_PROGRAMS = {"armv6": "qemu-arm", "armv8": "qemu-aarch64", "rv64": "qemu-riscv64"}
"""By what a core's ISA starts with."""


def program_for(core: Core) -> str:
    """QEMU's program for `core`; raises EmulationError where there is none."""
    for isa, program in _PROGRAMS.items():
        if core.isa.startswith(isa):
            return program
    raise EmulationError(f"core {core.name!r}", "is not run by QEMU's user mode")


class LinuxMachine:
    """A static Linux program that holds a model, on an emulated core and this computer's kernel.

    What the instructions do is the core's; memory is this computer's, so that what does not fit
    into a board's is not noticed here. Blocks of code are counted exactly, by a plugin of QEMU.

    Args:
        program: what to compile.
        board: whose core is emulated.
        sizes: of the model as compiled for `board`; default: of the whole program.
        debugger: a listening socket to which GDB may connect; then no call has a limit.

    Raises:
        EmulationError: QEMU's user mode is not installed, or does not serve the core.
        ToolchainError: the build fails.
        Killed: from calls, when a debugger says so.
    """

    def __init__(
        self,
        program: FirmwareSources,
        board: Board,
        sizes: Sizes | None = None,
        debugger: socket.socket | None = None,
    ) -> None:
        self.board = board
        self._debugger = debugger
        self._relay: Relay | None = None
        self.own_sources: Mapping[str, str] = {_SERVER.name: _SERVER.read_text(encoding="utf-8")}
        self._qemu = find(program_for(board.core))
        self.elf = _link(program, self.own_sources, board)
        self._image = read_firmware(self.elf)
        stack = self._image.stack
        self._painted = range(stack.start, stack.stop - _SERVER_STACK_BYTES)
        self.firmware: Firmware = replace(self._image, sizes=sizes or self._image.sizes)
        self._root: str | None = None
        self._layers: tuple[str, ...] = ()
        self.clear_counts()
        self._start()

    def reset(self) -> None:
        """Memory as after the start of the program; the stack is painted anew."""
        self.close()
        self._start()

    def set_regions(self, root: str | None, layers: tuple[str, ...] = ()) -> None:
        """Attributes what function `root` calls to `layers`; starts the program anew."""
        if root is not None:
            self.firmware.function(root)
        self._root, self._layers = root, layers
        self.clear_counts()
        self.reset()

    def clear_counts(self) -> None:
        """Forgets what was counted."""
        self._ran: Counter[Block] = Counter()

    def counts(self) -> Counts:
        """Instructions and modelled clocks since the counts were cleared, by layer and function."""
        return count(self.blocks(), self._layers, self._image, self.board.core)

    def blocks(self) -> tuple[Block, ...]:
        """What ran since the counts were cleared."""
        return tuple(
            replace(block, executions=times * block.executions, taken=times * block.taken)
            for block, times in self._ran.items()
        )

    def call(self, symbol: str, *args: int) -> int:
        """Calls the function `symbol` with up to 4 arguments; returns the low word of its result.

        Raises:
            UnknownName: no such function.
            EmulationError: the program was stopped by a signal, or ran for too long.
        """
        if len(args) > _MOST_ARGUMENTS:
            raise EmulationError("call", f"has more than {_MOST_ARGUMENTS} arguments")
        function = self.firmware.function(symbol)
        if not self._session.alive:
            raise EmulationError("QEMU", "has stopped after a fault", "reset the machine")
        try:
            (result,) = self._session.ask("C", (function.address, *args), 1)
        except EmulationError as problem:
            self.attend()
            raise EmulationError(
                f"{symbol} on {self.board.name}", f"{problem.thing} {problem.why}", problem.hint
            ) from None
        self._ran.update(self._own(self._blocks.take()))
        return result

    def read(self, address: int, count: int) -> bytes:
        """`count` bytes from `address`."""
        self._session.ask("R", (address, count), 0)
        return self._session.take(count)

    def write(self, address: int, data: bytes) -> None:
        """Puts `data` at `address`."""
        self._session.exchange("W", (address, len(data)), data, 1)

    def symbol(self, name: str) -> tuple[int, int]:
        """Address and bytes of a function or object; raises UnknownName."""
        found = self.firmware.symbol(name)
        return found.address, found.bytes

    @property
    def stack_bytes(self) -> int:
        """The deepest stack of all calls since the last reset, by the paint that is gone."""
        (called_at,) = self._session.ask("S", (), 1)
        if not called_at:
            return 0
        below = self.read(self._painted.start, called_at - self._painted.start)
        return len(below.lstrip(_PAINT))

    @property
    def debug_handle(self) -> int:
        """What is to be watched for a debugger that kills the device."""
        return self._relay.handle if self._relay else -1

    @property
    def attend_every_s(self) -> float | None:
        """QEMU serves the debugger itself."""
        return None

    def attend(self) -> None:
        """Raises Killed if a debugger has ended the program."""
        if self._relay:
            self._relay.hear()
            if self._relay.was_killed:
                raise Killed

    def close(self) -> None:
        """Ends QEMU."""
        if self._relay:
            self._relay.close()
            self._relay = None
        self._session.close()

    def _own(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks of the program itself, without those of the server that calls it."""
        for block in blocks:
            function = self._image.function_at(block.address)
            if function and not function.name.startswith(_SERVER_PREFIX):
                yield block

    def _start(self) -> None:
        files = {"program": linux_program(self.elf, self._image, (_CODE, _RAM))}
        core = self.board.core
        command = [self._qemu, "-cpu", core.emulator_model]
        self._blocks = RegionBlocks(self._places())
        limit = _SECONDS_LIMIT
        if self._debugger:
            command += ["-g", _STUB]
            limit = _FOREVER_SECONDS
        self._session = Session(
            core.name, command, files, limit, plugin=self._blocks, program="./program"
        )
        if self._debugger:
            self._relay = self._relay_to(self._debugger)
        self.write(self._painted.start, _PAINT * len(self._painted))

    def _relay_to(self, debugger: socket.socket) -> Relay:
        session = self._session
        return Relay(
            debugger,
            _connect(session.folder / _STUB),
            interrupt=lambda: session.send_signal(signal.SIGINT),
            kill=lambda: session.send_signal(signal.SIGKILL),
        )

    def _places(self) -> list[int]:
        """Where the root function lies and where the layers start; 1 is where no function is."""
        root = self.firmware.function(self._root) if self._root else Symbol("", 0, 0, True)
        known = self.firmware.symbols
        entries = [known[each].address if each in known else 1 for each in self._layers]
        return [root.address, root.address + root.bytes, *entries]


def open_linux(
    program: FirmwareSources, board: Board, debugger: socket.socket | None = None
) -> LinuxMachine:
    """`program` on QEMU's user mode; sizes are those of the model for `board`, if it has flash."""
    sizes = (
        read_firmware(program.link(board)).sizes
        if board.flash
        else _object_sizes(program, board.core)
    )
    return LinuxMachine(program, board, sizes, debugger)


def _connect(place: Path) -> socket.socket:
    """To the socket that QEMU makes at `place` once it has started, and where it waits."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        stub = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stub.connect(str(place))
        except OSError as problem:
            stub.close()
            if time.monotonic() > deadline:
                raise EmulationError(
                    "QEMU", f"lets no debugger connect ({problem.strerror})", "leave out --gdb"
                ) from None
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return stub


def _link(program: FirmwareSources, server: Mapping[str, str], board: Board) -> bytes:
    target = _BARE_TARGETS.get(board.core.zig_target, board.core.zig_target)
    host = replace(board, core=replace(board.core, zig_target=target), flash=(_CODE,), ram=(_RAM,))
    entries = (*_ENTRY_SYMBOLS, *program.entry_symbols)
    joined = replace(program, files={**program.files, **server}, entry_symbols=entries)
    return joined.link(host)


def _object_sizes(program: FirmwareSources, core: Core) -> Sizes:
    """Of the program's own units, compiled for Linux and not linked."""
    units = [name for name in program.files if name.endswith(".c")]
    objects = [
        compile_object(program.files, unit, core, optimise=program.optimise) for unit in units
    ]
    sizes = [read_firmware(each).sizes for each in objects]
    return Sizes(*(sum(column) for column in zip(*map(astuple, sizes), strict=True)))
