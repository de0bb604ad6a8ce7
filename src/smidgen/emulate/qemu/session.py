"""One running QEMU, and the requests that its monitor (`smg_monitor.c`) answers.

A request is 7 little-endian words: command and operands. An answer starts with a word that says
whether the core faulted. Memory contents follow either as they are.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from smidgen.core.errors import EmulationError
from smidgen.emulate.qemu.boards import QemuBoard

PROGRAM = "qemu-system-arm"
PACKAGE = "qemu-system-arm"
NANOSECONDS_SHIFT = 7
"""An instruction takes 2**7 ns of virtual time: more than two ticks of the slowest counter."""

_REQUEST_WORDS = 7
_DONE = 0x4B4F
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What the monitor's exception handler found (Armv8-M ARM, B3.9 and D1.2).

    `pc` and `link` are 0 where the core could not save them.
    """

    pc: int
    link: int
    cause: int
    hard_cause: int
    bus_address: int
    memory_address: int
    stack_pointer: int


class CoreFault(Exception):  # noqa: N818 - never leaves the room
    """The core faulted; the monitor has reported and ended."""

    def __init__(self, report: FaultReport) -> None:
        super().__init__(report)
        self.report = report


def find_qemu() -> str:
    """The path of QEMU; raises EmulationError, which names the package, where there is none."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise EmulationError(
            "QEMU",
            f"there is no {PROGRAM} on PATH, and this core is emulated by it",
            f"install the package {PACKAGE} (Debian, Ubuntu) or qemu (others)",
        )
    return found


class Session:
    """A QEMU process that has loaded a firmware with the monitor, and answers requests.

    Args:
        board: the machine.
        elf: the firmware.
        vectors: the vector table: initial stack pointer and exception handlers.
        seconds_limit: for one answer.
        debugger: a listening socket to which GDB may connect.
    """

    def __init__(
        self,
        board: QemuBoard,
        elf: bytes,
        vectors: bytes,
        seconds_limit: float,
        debugger: socket.socket | None = None,
    ) -> None:
        self._name = board.machine
        self._seconds_limit = seconds_limit
        program = find_qemu()
        self._folder = tempfile.TemporaryDirectory(prefix="smidgen-qemu-")
        place = Path(self._folder.name)
        (place / "firmware.elf").write_bytes(elf)
        (place / "vectors.bin").write_bytes(vectors)
        with (place / "messages").open("wb") as messages:
            self._process = subprocess.Popen(
                [program, *_arguments(board), *_debug_arguments(debugger)],
                cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages,
                bufsize=0, pass_fds=[debugger.fileno()] if debugger else [],
            )  # fmt: skip
        self._stop = weakref.finalize(self, _stop, self._process, self._folder)

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._stop.alive

    def close(self) -> None:
        """Ends the process."""
        self._stop()

    def ask(self, command: str, operands: Sequence[int], words: int) -> tuple[int, ...]:
        """Sends a request and takes an answer of so many words; raises CoreFault."""
        return self.exchange(command, operands, b"", words)

    def exchange(
        self, command: str, operands: Sequence[int], content: bytes, words: int
    ) -> tuple[int, ...]:
        """As `ask`, with `content` sent behind the request."""
        fields = [ord(command), *(operand & 0xFFFF_FFFF for operand in operands)]
        fields += [0] * (_REQUEST_WORDS - len(fields))
        self._send(struct.pack(f"<{_REQUEST_WORDS}I", *fields) + content)
        if self._words(1)[0] != _DONE:
            report = FaultReport(*self._words(7))
            self.close()
            raise CoreFault(report)
        return self._words(words)

    def take(self, count: int) -> bytes:
        """The `count` bytes that follow an answer."""
        content = bytearray()
        deadline = time.monotonic() + self._seconds_limit
        while len(content) < count:
            content += self._receive(count - len(content), deadline)
        return bytes(content)

    def _words(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}I", self.take(4 * count))

    def _send(self, content: bytes) -> None:
        pipe = _opened(self._process.stdin)
        try:
            view = memoryview(content)
            while view:
                view = view[pipe.write(view) :]
        except BrokenPipeError:
            raise self._died() from None

    def _receive(self, most: int, deadline: float) -> bytes:
        pipe = _opened(self._process.stdout)
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            self.close()
            raise EmulationError(
                f"QEMU {self._name}",
                f"gave no answer within {self._seconds_limit:g} s",
                "the code runs away, or needs a longer limit",
            )
        content = os.read(pipe.fileno(), min(most, _CHUNK_BYTES))
        if not content:
            raise self._died()
        return content

    def _died(self) -> EmulationError:
        self._process.wait()
        messages = Path(self._folder.name, "messages").read_text(errors="replace").strip()
        status = self._process.returncode
        self.close()
        said = messages.splitlines()[-1] if messages else "it said nothing"
        return EmulationError(f"QEMU {self._name}", f"ended with status {status}: {said}")


def _arguments(board: QemuBoard) -> list[str]:
    return [
        "-M", board.machine, "-display", "none", "-monitor", "none", "-serial", "none",
        "-nic", "none", "-semihosting-config", "enable=on,target=native",
        "-icount", f"shift={NANOSECONDS_SHIFT},sleep=off",
        "-device", "loader,file=firmware.elf",
        "-device", f"loader,file=vectors.bin,addr={board.vectors:#x},force-raw=on",
    ]  # fmt: skip


def _debug_arguments(debugger: socket.socket | None) -> list[str]:
    if debugger is None:
        return []
    place = f"socket,id=debugger,fd={debugger.fileno()},server=on,wait=off"
    return ["-chardev", place, "-gdb", "chardev:debugger"]


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _stop(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        _opened(pipe).close()
    folder.cleanup()
