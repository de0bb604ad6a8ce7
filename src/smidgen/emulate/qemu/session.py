"""One running QEMU, and the requests that its monitor (`smg_monitor.c`) answers.

A request is 7 little-endian words: command and operands. An answer starts with a word that says
whether the core faulted. Memory contents follow either as they are.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from smidgen.core.errors import EmulationError
from smidgen.emulate.qemu.blocks import Plugin

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


class Session:
    """A QEMU process that runs a firmware with a monitor, which answers requests.

    Args:
        name: of the emulated machine, for errors.
        command: QEMU and its options, to run in a folder of its own.
        files: the contents of that folder, by name.
        seconds_limit: for one answer.
        handles: file descriptors that the process keeps.
        plugin: of QEMU, that counts what runs.
        program: the file that QEMU runs, behind all options; "" for whole boards.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        files: Mapping[str, bytes],
        seconds_limit: float,
        handles: Sequence[int] = (),
        plugin: Plugin | None = None,
        program: str = "",
    ) -> None:
        self._name = name
        self._seconds_limit = seconds_limit
        self._folder = tempfile.TemporaryDirectory(prefix="smidgen-qemu-")
        place = Path(self._folder.name)
        for file, content in files.items():
            (place / file).write_bytes(content)
            (place / file).chmod(0o700)  # a program must be executable
        command = [*command, *(plugin.install(place) if plugin else [])]
        command += [program] if program else []
        with (place / "messages").open("wb") as messages:
            self._process = subprocess.Popen(
                command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=messages, bufsize=0, pass_fds=tuple(handles),
            )  # fmt: skip
        self._stop = weakref.finalize(self, _stop, self._process, self._folder)

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._stop.alive

    @property
    def folder(self) -> Path:
        """Where the process runs."""
        return Path(self._folder.name)

    def send_signal(self, number: int) -> None:
        """Sends it to the process, if that still runs."""
        self._process.send_signal(number)

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
        ended = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
        return EmulationError(f"QEMU {self._name}", f"ended {ended}: {said}")


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _stop(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        _opened(pipe).close()
    folder.cleanup()
