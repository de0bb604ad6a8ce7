"""A debugger of our own: GDB's remote serial protocol, as much of it as tests ask for."""

from __future__ import annotations

import re
import shutil
import socket
from types import TracebackType

import pytest

from support.live import SECONDS

needs_gdb = pytest.mark.skipif(
    shutil.which("gdb-multiarch") is None, reason="gdb-multiarch is not installed"
)


class GdbClient:
    """Sends packets and takes the answers; `place` is HOST:PORT."""

    def __init__(self, place: str) -> None:
        host, _, port = place.rpartition(":")
        self.line = socket.create_connection((host, int(port)), SECONDS)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def __enter__(self) -> GdbClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.line.close()

    def send(self, content: bytes) -> None:
        self.line.sendall(b"$" + content + b"#" + b"%02x" % (sum(content) & 0xFF))

    def receive(self) -> bytes:
        """The next packet, acknowledged; acknowledgements of ours are passed over."""
        while not (found := re.search(rb"\$((?:[^#])*)#[0-9a-f]{2}", self._unread, re.DOTALL)):
            characters = self.line.recv(4096)
            assert characters, "the stub hung up"
            self._unread += characters
        self._unread = self._unread[found.end() :]
        self.line.sendall(b"+")
        return re.sub(rb"\}(.)", lambda m: bytes([m[1][0] ^ 0x20]), found[1], flags=re.DOTALL)

    def ask(self, content: bytes) -> bytes:
        self.send(content)
        return self.receive()

    def number(self, register: int) -> int:
        """The content of a register, by its number in the target description."""
        return int.from_bytes(bytes.fromhex(self.ask(b"p%x" % register).decode()), "little")

    def read(self, address: int, count: int) -> bytes:
        return bytes.fromhex(self.ask(b"m%x,%x" % (address, count)).decode())

    def document(self, request: bytes) -> str:
        """A whole `qXfer` document, asked for in small parts."""
        text = b""
        while True:
            part = self.ask(b"qXfer:%s:%x,60" % (request, len(text)))
            text += part[1:]
            if part[:1] == b"l":
                return text.decode()

    def monitor(self, command: str) -> str:
        return bytes.fromhex(
            self.ask(b"qRcmd," + command.encode().hex().encode()).decode()
        ).decode()
