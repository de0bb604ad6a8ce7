"""The host's end of a device's serial line: a pseudo-terminal or a TCP port on this computer."""

from __future__ import annotations

import errno
import os
import socket
from typing import Protocol

from smidgen.core.errors import EmulationError, InputError

LOCAL = "127.0.0.1"
_HIGHEST_PORT = 65535
_CHUNK_BYTES = 4096


class Line(Protocol):
    """Where characters come from and go to; nothing here waits."""

    @property
    def place(self) -> str:
        """What a tool opens to talk to the device."""

    @property
    def readable(self) -> int:
        """What is to be watched for characters, or for somebody who connects."""

    @property
    def writable(self) -> int:
        """What is to be watched for room to write."""

    def read(self) -> bytes:
        """What has come; empty if nothing, or if somebody has connected or left."""

    def write(self, characters: bytes) -> int:
        """Sends what there is room for and returns how many; where nobody listens, all are lost."""

    def settle(self) -> None:
        """The device has answered all that came: a host that has left may be let go."""

    def close(self) -> None:
        """Gives everything back."""


class PtyLine:
    """A pseudo-terminal, as a USB serial adapter is; tools open `place` as they open a port."""

    def __init__(self) -> None:
        if not hasattr(os, "openpty"):
            raise EmulationError("pseudo-terminal", "this system has none", "use --tcp")
        import tty  # noqa: PLC0415 (absent where there are no terminals)

        try:
            # Our own handle of the far end keeps the line up while no tool has it open.
            self._near, self._far = os.openpty()
        except OSError as problem:
            raise EmulationError(
                "pseudo-terminal", f"cannot be opened ({problem.strerror})", "use --tcp, or fewer"
            ) from problem
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.place = os.ttyname(self._far)
        self.readable = self.writable = self._near

    def read(self) -> bytes:
        """What has come."""
        try:
            return os.read(self._near, _CHUNK_BYTES)
        except BlockingIOError:
            return b""

    def write(self, characters: bytes) -> int:
        """Sends what there is room for."""
        try:
            return os.write(self._near, characters)
        except BlockingIOError:
            return 0

    def settle(self) -> None:
        """Nothing to do: a terminal does not tell who has left."""

    def close(self) -> None:
        """Closes both ends."""
        os.close(self._near)
        os.close(self._far)


class TcpLine:
    """A TCP port on which one tool at a time is served; the next one waits for its turn."""

    def __init__(self, port: int) -> None:
        self._listener = listen(port)
        self._client: socket.socket | None = None
        self._left = False
        self.place = f"{LOCAL}:{self._listener.getsockname()[1]}"

    @property
    def readable(self) -> int:
        """The tool's socket, or the listening one; -1 while a tool that left is still answered."""
        if self._left:
            return -1
        return (self._client or self._listener).fileno()

    @property
    def writable(self) -> int:
        """The tool's socket."""
        return self._client.fileno() if self._client else -1

    def read(self) -> bytes:
        """What has come."""
        if self._client is None:
            self._accept()
            return b""
        try:
            characters = self._client.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            self._hang_up()
            return b""
        self._left = not characters
        return characters

    def write(self, characters: bytes) -> int:
        """Sends what there is room for."""
        if self._client is None:
            return len(characters)
        try:
            return self._client.send(characters)
        except BlockingIOError:
            return 0
        except OSError:
            self._hang_up()
            return len(characters)

    def settle(self) -> None:
        """Lets a tool go that has closed its end and been answered."""
        if self._left:
            self._hang_up()

    def close(self) -> None:
        """Closes the tool's socket and the port."""
        self._hang_up()
        self._listener.close()

    def _accept(self) -> None:
        try:
            self._client, _ = self._listener.accept()
        except OSError:  # it has gone again
            return
        self._client.setblocking(False)
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _hang_up(self) -> None:
        if self._client:
            self._client.close()
        self._client = None
        self._left = False


def listen(port: int) -> socket.socket:
    """A listening socket on `port` of this computer (0: any free one); raises InputError."""
    if not 0 <= port <= _HIGHEST_PORT:
        raise InputError(f"port {port}", f"is not between 0 and {_HIGHEST_PORT}")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOCAL, port))
        listener.listen()
    except OSError as problem:
        listener.close()
        raise _port_problem(port, problem) from problem
    listener.setblocking(False)
    return listener


def _port_problem(port: int, problem: OSError) -> InputError:
    why = "is in use" if problem.errno == errno.EADDRINUSE else f"cannot be used ({problem})"
    return InputError(f"port {port}", why, "choose another; 0 takes any free one")


def open_lines(count: int, first_port: int | None) -> list[Line]:
    """One line a device: TCP ports from `first_port` up (any free ones for 0), or terminals.

    Raises InputError for a port that cannot be had, EmulationError for a terminal.
    """
    lines: list[Line] = []
    try:
        for index in range(count):
            lines.append(_open(index, first_port))
    except BaseException:
        for line in lines:
            line.close()
        raise
    return lines


def _open(index: int, first_port: int | None) -> Line:
    if first_port is None:
        return PtyLine()
    return TcpLine(first_port + index if first_port else 0)
