"""Lets debuggers come and go at the stub of an emulator that knows only one, for all its life."""

from __future__ import annotations

import re
import select
import socket
from collections.abc import Callable
from threading import Thread

from smidgen.emulate.remote.packets import Event, Interrupt, Packet, PacketReader, Refused, frame

_CHUNK_BYTES = 4096
_SECONDS_TO_SEND = 10.0
_SECONDS_TO_END = 10.0
_SECONDS_TO_ANSWER = 10.0
_MOST_WAITING_PACKETS = 16
_MOST_STOPS = 1000
_MOST_FORWARDED_BYTES = 4000
"""QEMU takes packets of up to 4096 bytes."""
_ERROR, _OK, _UNKNOWN = b"E01", b"OK", b""
_GOING_ON = (b"c", b"C", b"s", b"S", b"vCont;")
_HEX = re.compile(rb"[0-9a-fA-F]*")
_WELL_FORMED = re.compile(
    rb"[cs][0-9a-f]*|[CS][0-9a-f]{2}(;[0-9a-f]+)?|vCont(;[cCsSr][0-9a-f,]*(:[-p.0-9a-f]+)?)+", re.I
)
_HARMLESS_SIGNALS = (0, 2, 5)
"""Nothing, Ctrl-C and the trap, with which a core goes on as if it had not been stopped."""


class _Gone(Exception):  # noqa: N818 - never leaves this file
    """The debugger has hung up, or takes nothing more."""


class _Ended(Exception):  # noqa: N818 - never leaves this file
    """The emulator has ended, or the relay is to."""


class Relay:
    """Takes a debugger that connects to `listener` to an emulator, which it stops and lets go on.

    Without a debugger the core runs, whatever the last one has left behind. Both sides speak GDB's
    remote serial protocol, packet by packet: what is none does not reach the emulator, and neither
    does the end of a debugger. It all happens in a thread.

    Args:
        listener: a listening socket.
        stub: connected to the emulator, which has stopped its core for that.
        interrupt: stops the running core, as Ctrl-C.
        kill: ends the emulator.
    """

    def __init__(
        self,
        listener: socket.socket,
        stub: socket.socket,
        interrupt: Callable[[], None],
        kill: Callable[[], None],
    ) -> None:
        self._listener = listener
        self._stub, self._from_stub = stub, PacketReader()
        self._interrupt, self._kill = interrupt, kill
        self._client: socket.socket | None = None
        self._from_client = PacketReader()
        self._acknowledges = True
        self._runs = False
        self._last_stop = b""
        self._last_reply = b""
        self._said: list[bytes] = []
        self._waiting: list[Packet] = []
        self._stops: dict[bytes, None] = {}
        self._news, self._tell_news = socket.socketpair()
        self._end, self._tell_end = socket.socketpair()
        self.was_killed = False
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def handle(self) -> int:
        """Can be read once a debugger has come, gone or killed; see `hear`."""
        return self._news.fileno()

    @property
    def has_debugger(self) -> bool:
        """Whether somebody is attached."""
        return self._client is not None

    def hear(self) -> None:
        """Takes note of the news."""
        if select.select([self._news], [], [], 0)[0]:
            self._news.recv(_CHUNK_BYTES)

    def close(self) -> None:
        """Lets the debugger go; the emulator is to be ended next. The listener stays open."""
        self._tell_end.close()
        self._thread.join(_SECONDS_TO_END)
        for each in (self._news, self._tell_news, self._end):
            each.close()

    # -- the thread

    def _serve(self) -> None:
        try:
            self._ask(b"?")
            self._go_on()
            while True:
                self._serve_once()
        except (_Ended, OSError):
            pass
        finally:
            self._hang_up()
            self._stub.close()

    def _serve_once(self) -> None:
        try:
            ready = self._wait([self._stub, self._client or self._listener])
            if self._stub in ready:
                self._read_stub()
                while self._said:
                    self._on_stub(self._said.pop(0))
            elif self._client:
                self._on_client(self._client)
            else:
                self._attach()
        except _Gone:
            self._release()

    def _wait(
        self, sources: list[socket.socket], seconds: float | None = None
    ) -> list[socket.socket]:
        ready, _, _ = select.select([*sources, self._end], [], [], seconds)
        if self._end in ready:
            raise _Ended
        return ready

    # -- the emulator

    def _read_stub(self) -> None:
        characters = self._stub.recv(_CHUNK_BYTES)
        if not characters:
            raise _Ended
        for event in self._from_stub.feed(characters):
            if isinstance(event, Packet):
                self._stub.sendall(b"+")
                self._said.append(event.content)

    def _ask(self, content: bytes) -> bytes:
        """The answer to a packet, while the core is stopped."""
        self._said.clear()
        self._stub.sendall(frame(content))
        while True:
            if not self._wait([self._stub], _SECONDS_TO_ANSWER):
                return _ERROR
            self._read_stub()
            while self._said:
                reply = self._said.pop(0)
                if not _is_output(reply):
                    return reply
                self._reply(reply)

    def _on_stub(self, content: bytes) -> None:
        """What comes while the core runs: it has stopped, or would not go on."""
        self._note_stop(content)
        if self._client:
            self._reply(content)
            self._catch_up()
        elif not self._runs:
            self._go_on()

    def _halt(self) -> None:
        """Has the core stopped."""
        if self._runs:
            self._interrupt()
            while self._runs:
                self._wait([self._stub])
                self._read_stub()
                while self._said:
                    self._note_stop(self._said.pop(0))

    def _note_stop(self, content: bytes) -> None:
        if not _is_output(content):
            self._runs = False
            self._last_stop = content

    def _go_on(self) -> None:
        """Continues with the signal that has stopped the program, as a system would."""
        signal = self._last_stop[1:3] if self._last_stop[:1] in (b"S", b"T") else b""
        is_fatal = bool(signal) and int(signal, 16) not in _HARMLESS_SIGNALS
        self._stub.sendall(frame(b"C" + signal if is_fatal else b"c"))
        self._runs = True

    # -- the debugger

    def _attach(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:  # it has gone again
            return
        client.settimeout(_SECONDS_TO_SEND)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client, self._from_client, self._acknowledges = client, PacketReader(), True
        self._tell_news.send(b"!")
        self._halt()

    def _release(self) -> None:
        """The core goes on as if there had never been a debugger."""
        self._halt()
        for stop in self._stops:
            self._ask(b"z" + stop)
        self._stops.clear()
        self._hang_up()
        self._go_on()

    def _hang_up(self) -> None:
        if self._client:
            self._client.close()
            self._client = None
            self._tell_news.send(b"!")
        self._waiting.clear()

    def _on_client(self, client: socket.socket) -> None:
        try:
            characters = client.recv(_CHUNK_BYTES)
        except OSError:
            raise _Gone from None
        if not characters:
            raise _Gone
        for event in self._from_client.feed(characters):
            self._take(event)
        self._catch_up()

    def _take(self, event: Event) -> None:
        if isinstance(event, Interrupt):
            if self._runs:
                self._interrupt()
        elif isinstance(event, Refused):
            self._write(self._last_reply)
        else:
            if self._acknowledges:
                self._write(b"+" if event.is_whole else b"-")
            if event.is_whole and len(self._waiting) < _MOST_WAITING_PACKETS:
                self._waiting.append(event)
            if not self._runs:
                self._catch_up()

    def _catch_up(self) -> None:
        """Obeys the packets that have come, until one lets the core run."""
        while self._waiting and not self._runs and self._client:
            self._obey(self._waiting.pop(0).content)

    def _obey(self, content: bytes) -> None:
        if content == b"QStartNoAckMode":
            self._reply(_OK)
            self._acknowledges = False
        elif content.startswith((b"k", b"vKill")):
            self._end_emulator(content)
        elif content.startswith(b"D"):
            self._reply(_OK)
            raise _Gone
        elif content.startswith(_GOING_ON):
            if not _WELL_FORMED.fullmatch(content):
                self._reply(_ERROR)
                return
            self._runs = True
            self._stub.sendall(frame(content))
        else:
            self._reply(self._forward(content))

    def _forward(self, content: bytes) -> bytes:
        is_stop = content.startswith(b"Z")
        too_many = is_stop and len(self._stops) >= _MOST_STOPS
        if too_many or len(frame(content)) > _MOST_FORWARDED_BYTES:
            return _ERROR
        if content.startswith(b"b"):  # backwards: QEMU refuses it with two answers
            return _UNKNOWN
        if content.startswith(b"G") and not self._are_all_registers(content[1:]):
            return _ERROR
        reply = self._ask(content)
        if is_stop and reply == _OK:
            self._stops[content[1:]] = None
        elif content.startswith(b"z"):
            self._stops.pop(content[1:], None)
        return reply

    def _are_all_registers(self, digits: bytes) -> bool:
        """QEMU would write what it does not find as well."""
        return bool(_HEX.fullmatch(digits)) and len(digits) == len(self._ask(b"g"))

    def _end_emulator(self, content: bytes) -> None:
        if content.startswith(b"v"):
            self._reply(_OK)
        self.was_killed = True
        self._kill()
        self._tell_news.send(b"!")
        raise _Ended

    def _reply(self, content: bytes) -> None:
        self._last_reply = frame(content)
        self._write(self._last_reply)

    def _write(self, characters: bytes) -> None:
        try:
            if self._client:
                self._client.sendall(characters)
        except OSError:  # gone, or it takes nothing for too long
            raise _Gone from None


def _is_output(content: bytes) -> bool:
    """What a console prints meanwhile, before an answer or a stop."""
    return content.startswith(b"O") and content != _OK
