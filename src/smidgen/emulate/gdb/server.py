"""The port on which a debugger reaches an emulated board."""

from __future__ import annotations

import select
import socket

from smidgen.emulate.gdb.control import Go, Reason, Stop
from smidgen.emulate.gdb.stub import Ending, Stub
from smidgen.emulate.remote.packets import Event, Interrupt, Packet, PacketReader, Refused, frame

_CHUNK_BYTES = 4096
_SECONDS_TO_SEND = 10.0
_MOST_WAITING_EVENTS = 16


class _Gone(Exception):  # noqa: N818 - never leaves this file
    """The debugger has hung up, or takes nothing more."""


class GdbServer:
    """Serves one debugger at a time on `listener`, a listening socket."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._client: socket.socket | None = None
        self._reader = PacketReader()
        self._events: list[Event] = []
        self._acknowledges = True
        self._last_reply = b""

    @property
    def handle(self) -> int:
        """What is to be watched while the core runs: for a debugger, or for its Ctrl-C."""
        return (self._client or self._listener).fileno()

    def is_called(self) -> bool:
        """Whether somebody connects, interrupts or has hung up. Does not wait."""
        ready, _, _ = select.select([self.handle], [], [], 0)
        try:
            if ready and self._client is not None:
                self._events += self._reader.feed(self._receive())
        except _Gone:
            self.hang_up()
            return True
        return self._has_interrupt() or (bool(ready) and self._client is None)

    def talk(self, stub: Stub, stop: Stop) -> Go | Ending:
        """Serves the debugger until it lets the core go on; `stop` is why it stands still.

        A debugger that is served already is told so, but of none that it has asked for. Without one
        it is taken who has connected; nobody is waited for.
        """
        stub.stop = stop
        try:
            if self._client is None:
                self._accept()
            elif stop.reason is not Reason.NONE:
                self._send(stub.stop_reply())
            return self._serve(stub)
        except _Gone:
            self.hang_up()
            return Ending.DETACH

    def hang_up(self) -> None:
        """Lets the debugger go."""
        if self._client:
            self._client.close()
        self._client = None
        self._events.clear()

    def close(self) -> None:
        """Gives the port back."""
        self.hang_up()
        self._listener.close()

    def _accept(self) -> None:
        try:
            self._client, _ = self._listener.accept()
        except OSError:  # it has gone again
            raise _Gone from None
        self._client.settimeout(_SECONDS_TO_SEND)
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader, self._acknowledges, self._last_reply = PacketReader(), True, b""

    def _has_interrupt(self) -> bool:
        """Whether Ctrl-C is among what has come while the core runs; some of the rest is kept."""
        kept: list[Event] = [each for each in self._events if not isinstance(each, Interrupt)]
        found = len(kept) < len(self._events)
        self._events = kept[:_MOST_WAITING_EVENTS]
        return found

    def _serve(self, stub: Stub) -> Go | Ending:
        while True:
            event = self._next_event()
            if isinstance(event, Refused):
                self._write(self._last_reply)
            elif isinstance(event, Packet):
                then = self._answer(stub, event)
                if then is not None:
                    return then

    def _answer(self, stub: Stub, packet: Packet) -> Go | Ending | None:
        if self._acknowledges:
            self._write(b"+" if packet.is_whole else b"-")
        if not packet.is_whole:
            return None
        answer = stub.answer(packet.content)
        if answer.reply is not None:
            self._send(answer.reply)
        if packet.content == b"QStartNoAckMode":
            self._acknowledges = False
        if answer.then in (Ending.DETACH, Ending.KILL):
            self.hang_up()
        return answer.then

    def _next_event(self) -> Event:
        while not self._events:
            self._events += self._reader.feed(self._receive())
        return self._events.pop(0)

    def _receive(self) -> bytes:
        """Waits for as long as the debugger stays."""
        client = self._require_client()
        select.select([client], [], [])
        try:
            characters = client.recv(_CHUNK_BYTES)
        except OSError:
            raise _Gone from None
        if not characters:
            raise _Gone
        return characters

    def _send(self, reply: bytes) -> None:
        self._last_reply = frame(reply)
        self._write(self._last_reply)

    def _write(self, characters: bytes) -> None:
        try:
            self._require_client().sendall(characters)
        except OSError:  # gone, or it takes nothing for too long
            raise _Gone from None

    def _require_client(self) -> socket.socket:
        if self._client is None:
            raise _Gone
        return self._client
