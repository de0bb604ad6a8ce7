"""A firmware on simavr: functions are called on it, as on `emulate.machine.Machine`."""

from __future__ import annotations

import ctypes
import ctypes.util
from enum import Enum
from functools import lru_cache
from pathlib import Path

from smidgen.core.errors import EmulationError
from smidgen.emulate.faults import Fault
from smidgen.emulate.linked.firmware import Firmware, Symbol, read_firmware
from smidgen.emulate.timing.cycles import ROOT, Counts, RegionCounts
from smidgen.targets.catalogue import Board
from smidgen.targets.toolchain import compile_host_library

DEFAULT_INSTRUCTION_LIMIT = 5_000_000_000
_SOURCE = Path(__file__).with_name("simulator.c")
_HEADERS = (Path("/usr/include/simavr"), Path("/usr/local/include/simavr"))
DATA_SPACE = 0x80_0000
"""What AVR's ELF files add to the addresses of data."""
_PAINT = b"\xa5"
_MOST_ARGUMENTS = 4
_NOWHERE = 1
_U16, _U32, _U64, _PTR = ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p


class Outcome(Enum):
    """How running ended; the numbers are those of simulator.c."""

    RETURNED = 0
    STACK_OVERFLOW = 1
    CRASHED = 2
    RAN_TOO_LONG = 3
    BREAKPOINT = 4
    STEPPED = 5
    WATCHED = 6
    PAUSED = 7


_FAULTS = {
    Outcome.STACK_OVERFLOW: "stack overflow",
    Outcome.CRASHED: "crashed: an access or instruction that the core does not have",
    Outcome.RAN_TOO_LONG: "ran more instructions than the limit",
}


class Call(ctypes.Structure):
    """A call that runs, as simulator.c has it."""

    _fields_ = (
        ("function", _U32),
        ("back", _U32),
        ("stack_start", _U32),
        ("stack_end", _U32),
        ("root_start", _U32),
        ("root_end", _U32),
        ("layers", _U32),
        ("entries", ctypes.POINTER(_U32)),
        ("limit", _U64),
        ("done", _U64),
        ("region", _U32),
        ("where", _U32),
    )


class _Cost(ctypes.Structure):
    _fields_ = (("instructions", _U64), ("cycles", _U64))


def why_no_simavr() -> str:
    """Why simavr cannot be used and what to install; "" where it is there."""
    if ctypes.util.find_library("simavr") and _headers():
        return ""
    return "there is no simavr with its headers (package libsimavr-dev of Debian and Ubuntu)"


class SimavrMachine:
    """A firmware on simavr's model of `board`'s microcontroller.

    Instructions are counted one by one, and clocks are those of the simulator. A stack that leaves
    what is reserved for it is a fault. Arguments and results have 16 bits.

    Raises:
        EmulationError: simavr is not installed, or does not know the microcontroller.
        ArtifactError: `elf` is no ELF file.
    """

    def __init__(self, elf: bytes, board: Board) -> None:
        missing = why_no_simavr()
        if missing:
            raise EmulationError(f"board {board.name}", missing, "install it")
        self.board = board
        self.firmware: Firmware = read_firmware(elf)
        self._library = _library()
        model = board.core.emulator_model.encode()
        self._avr = self._library.smg_simulator_new(model, board.clock_hz)
        if not self._avr:
            raise EmulationError(f"board {board.name}", f"simavr has no {model.decode()}")
        self._check_memory()
        self._back = self._library.smg_simulator_flash_bytes(self._avr) - 2
        self.set_regions(None)
        self.reset()

    def _check_memory(self) -> None:
        """Refuse a board with more memory than the microcontroller that simavr runs."""
        board, library = self.board, self._library
        has = {
            "flash": (board.flash[0].end, library.smg_simulator_flash_bytes(self._avr)),
            "RAM": (board.ram[0].end - DATA_SPACE, library.smg_simulator_data_bytes(self._avr)),
        }
        for what, (end, limit) in has.items():
            if end > limit:
                model = board.core.emulator_model
                raise EmulationError(
                    f"board {board.name}", f"its {what} ends behind that of simavr's {model}"
                )

    def reset(self) -> None:
        """Memory as after power-up and start-up code; the stack is painted anew."""
        for region in self.board.ram:
            self.write(region.address, _PAINT * region.bytes)
        for span in self.firmware.zeroed:
            self.write(span.start, bytes(len(span)))
        for image in self.firmware.images:
            if image.address >= DATA_SPACE:
                self.write(image.address, image.content)
            else:
                self._library.smg_simulator_load(
                    self._avr, image.address, image.content, len(image.content)
                )

    def set_regions(self, root: str | None, layers: tuple[str, ...] = ()) -> None:
        """Attributes counts from now on to `layers`, and to `root` what it runs itself."""
        known = self.firmware.symbols
        addresses = [known[each].address if each in known else _NOWHERE for each in layers]
        self._entries = (_U32 * max(len(addresses), 1))(*addresses)
        self._root = self.firmware.function(root) if root is not None else Symbol("", 0, 0, True)
        self._layers = layers
        self.clear_counts()

    def clear_counts(self) -> None:
        """Forgets what was counted."""
        self._costs = (_Cost * (1 + len(self._layers)))()

    def counts(self) -> Counts:
        """Instructions and clocks since the counts were cleared, by layer."""
        rows = tuple(
            RegionCounts(name, cost.instructions, cost.cycles)
            for name, cost in zip((ROOT, *self._layers), self._costs, strict=True)
        )
        return Counts(
            layers=rows,
            functions=(),
            instructions=sum(cost.instructions for cost in self._costs),
            modelled_cycles=sum(cost.cycles for cost in self._costs),
        )

    def call(
        self, symbol: str, *args: int, instruction_limit: int = DEFAULT_INSTRUCTION_LIMIT
    ) -> int:
        """Calls `symbol` with up to 4 arguments of 16 bits; returns its result of 16 bits.

        Raises:
            UnknownName: no such function.
            EmulationError: the core faulted, or ran more instructions than the limit.
        """
        if len(args) > _MOST_ARGUMENTS:
            raise EmulationError("call", f"has more than {_MOST_ARGUMENTS} arguments")
        wanted = self._call_of(self.firmware.function(symbol).address, instruction_limit)
        words = (_U16 * _MOST_ARGUMENTS)(*(arg & 0xFFFF for arg in args))
        self._library.smg_simulator_enter(self._avr, ctypes.byref(wanted), words, len(args))
        self._finish(wanted, symbol)
        return int(self._library.smg_simulator_result(self._avr))

    def _call_of(self, function: int, instruction_limit: int) -> Call:
        stack, root = self.firmware.stack, self._root
        return Call(
            function=function, back=self._back,
            stack_start=stack.start - DATA_SPACE, stack_end=stack.stop - DATA_SPACE,
            root_start=root.address, root_end=root.address + root.bytes,
            layers=len(self._layers), entries=self._entries, limit=instruction_limit,
        )  # fmt: skip

    def _finish(self, call: Call, what: str) -> None:
        """Runs `call`; raises EmulationError for a fault in `what` was called."""
        outcome = self._run(call)
        if outcome is not Outcome.RETURNED:
            raise Fault(call.where, _FAULTS[outcome]).error(what, self.board, self.firmware)

    def _run(self, call: Call) -> Outcome:
        """Runs `call` until it has returned or faulted."""
        return self._run_on(call, None)

    def _run_on(self, call: Call, debug: ctypes.Array[ctypes.c_char] | None) -> Outcome:
        """Runs on until the call has ended, or `debug` stops it."""
        return Outcome(
            self._library.smg_simulator_run(self._avr, ctypes.byref(call), self._costs, debug)
        )

    def read(self, address: int, count: int) -> bytes:
        """`count` bytes of RAM from `address`; raises EmulationError outside of it."""
        content = ctypes.create_string_buffer(count)
        place = self._data_address(address, count)
        self._library.smg_simulator_read(self._avr, place, content, count)
        return content.raw

    def write(self, address: int, data: bytes) -> None:
        """Puts `data` at `address` of the RAM; raises EmulationError outside of it."""
        place = self._data_address(address, len(data))
        self._library.smg_simulator_write(self._avr, place, data, len(data))

    def symbol(self, name: str) -> tuple[int, int]:
        """Address and bytes of a function or object; raises UnknownName."""
        found = self.firmware.symbol(name)
        return found.address, found.bytes

    @property
    def stack_bytes(self) -> int:
        """The deepest stack of all calls since the last reset, by the paint that is gone."""
        stack = self.firmware.stack
        return len(self.read(stack.start, len(stack)).lstrip(_PAINT))

    def _data_address(self, address: int, count: int) -> int:
        if not any(
            each.address <= address and address + count <= each.end for each in self.board.ram
        ):
            raise EmulationError(f"{count} bytes at {address:#08x}", "are no RAM of the board")
        return address - DATA_SPACE


def _headers() -> dict[str, str]:
    place = next((each for each in _HEADERS if (each / "sim_avr.h").is_file()), None)
    files = sorted(place.glob("*.h")) if place else []
    return {file.name: file.read_text(encoding="utf-8") for file in files}


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    ctypes.CDLL(ctypes.util.find_library("simavr"), ctypes.RTLD_GLOBAL)
    source = _SOURCE.read_text(encoding="utf-8")
    library = ctypes.CDLL(str(compile_host_library({_SOURCE.name: source, **_headers()})))
    library.smg_simulator_new.restype = _PTR
    library.smg_simulator_new.argtypes = (ctypes.c_char_p, _U32)
    library.smg_simulator_load.argtypes = (_PTR, _U32, ctypes.c_char_p, _U32)
    library.smg_simulator_write.argtypes = (_PTR, _U32, ctypes.c_char_p, _U32)
    library.smg_simulator_read.argtypes = (_PTR, _U32, _PTR, _U32)
    library.smg_simulator_flash_bytes.argtypes = (_PTR,)
    library.smg_simulator_data_bytes.argtypes = (_PTR,)
    library.smg_simulator_enter.argtypes = (_PTR, _PTR, _PTR, _U32)
    library.smg_simulator_run.argtypes = (_PTR, _PTR, _PTR, _PTR)
    library.smg_simulator_result.argtypes = (_PTR,)
    library.smg_simulator_read_flash.argtypes = (_PTR, _U32, _PTR, _U32)
    library.smg_simulator_pc.argtypes = (_PTR,)
    library.smg_simulator_set_pc.argtypes = (_PTR, _U32)
    library.smg_simulator_status.argtypes = (_PTR,)
    library.smg_simulator_set_status.argtypes = (_PTR, _U32)
    library.smg_simulator_watch.argtypes = (_PTR, _PTR, _U32, _U32)
    library.smg_simulator_unwatch.argtypes = (_PTR, _U32, _U32)
    return library
