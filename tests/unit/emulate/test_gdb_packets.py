"""The frames of GDB's remote serial protocol."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smidgen.emulate.remote.packets import (
    PACKET_BYTES,
    Interrupt,
    Packet,
    PacketReader,
    Refused,
    frame,
)


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 30))
def test_what_is_framed_is_read_back_however_it_arrives(
    contents: list[bytes], chunk_bytes: int
) -> None:
    raw, reader = b"".join(map(frame, contents)), PacketReader()
    chunks = [raw[at : at + chunk_bytes] for at in range(0, len(raw), chunk_bytes)]
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    assert events == [Packet(content) for content in contents]


def test_a_frame_of_the_manual() -> None:
    assert frame(b"m20000000,4") == b"$m20000000,4#4f"
    assert frame(b"}#$*") == b"$}]}\x03}\x04}\x0a#62"


def test_signals_between_packets_are_told() -> None:
    kinds = [type(event) for event in PacketReader().feed(b"+\x03-$g#67noise\x03")]
    assert kinds == [Interrupt, Refused, Packet, Interrupt]


def test_a_damaged_packet_is_told() -> None:
    assert list(PacketReader().feed(b"$g#00")) == [Packet(b"g", is_whole=False)]
    assert list(PacketReader().feed(b"$g#zz")) == [Packet(b"g", is_whole=False)]


@given(st.binary(max_size=300))
def test_no_noise_is_an_error(noise: bytes) -> None:
    list(PacketReader().feed(noise))


def test_what_never_ends_is_not_kept() -> None:
    reader = PacketReader()
    events = [event for _ in range(100) for event in reader.feed(b"$" + b"x" * 1000)]
    assert all(isinstance(event, Packet) and not event.is_whole for event in events)
    assert list(reader.feed(b"#00" + frame(b"g")))[-1] == Packet(b"g")
    assert PACKET_BYTES < 100_000
