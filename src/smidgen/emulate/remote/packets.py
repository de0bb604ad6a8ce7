"""The frames of GDB's remote serial protocol ("Debugging with GDB", E.1 Overview)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PACKET_BYTES = 0x4000
"""The longest packet that is taken or sent, as told to GDB."""
INTERRUPT = b"\x03"
"""Ctrl-C."""
_START, _END, _ESCAPE, _FLIP = b"$"[0], b"#"[0], b"}"[0], 0x20
_CHECKSUM_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Packet:
    """What stood in a frame; `is_whole` tells whether its checksum is right."""

    content: bytes
    is_whole: bool = True


class Interrupt:
    """Ctrl-C."""


class Refused:
    """The other side got our last packet damaged."""


Event = Packet | Interrupt | Refused


class PacketReader:
    """Takes characters as they come and gives what they mean; keeps at most one packet's worth."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def feed(self, characters: bytes) -> Iterator[Event]:
        """The packets, interrupts and refusals that `characters` complete."""
        self._unread += characters
        while self._unread:
            if self._unread[0] == _START:
                packet = self._take_packet()
                if packet is None:
                    return
                yield packet
            else:
                yield from _signal(self._unread.pop(0))

    def _take_packet(self) -> Packet | None:
        """The packet that the unread characters start with, once it is complete."""
        end = self._unread.find(_END)
        if end < 0 or len(self._unread) <= end + _CHECKSUM_DIGITS:
            if len(self._unread) > 2 * PACKET_BYTES:
                self._unread.clear()
                return Packet(b"", is_whole=False)
            return None
        body = bytes(self._unread[1:end])
        digits = bytes(self._unread[end + 1 : end + 1 + _CHECKSUM_DIGITS])
        del self._unread[: end + 1 + _CHECKSUM_DIGITS]
        return Packet(_unescape(body), digits.lower() == _checksum(body))


def _signal(character: int) -> Iterator[Event]:
    if character == INTERRUPT[0]:
        yield Interrupt()
    elif character == b"-"[0]:
        yield Refused()


def frame(content: bytes) -> bytes:
    """`content` as a packet."""
    body = bytearray()
    for byte in content:
        if byte in b"$#}*":
            body += bytes((_ESCAPE, byte ^ _FLIP))
        else:
            body.append(byte)
    return b"$" + bytes(body) + b"#" + _checksum(bytes(body))


def _unescape(body: bytes) -> bytes:
    content, characters = bytearray(), iter(body)
    for byte in characters:
        content.append(next(characters, 0) ^ _FLIP if byte == _ESCAPE else byte)
    return bytes(content)


def _checksum(body: bytes) -> bytes:
    return b"%02x" % (sum(body) & 0xFF)
