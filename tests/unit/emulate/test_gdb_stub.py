"""What our stub answers to packets that no debugger would send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.emulate.gdb.machine import DebuggedMachine
from smidgen.emulate.gdb.stub import Stub
from smidgen.emulate.live.lines import listen
from smidgen.emulate.remote.packets import PACKET_BYTES, PacketReader, frame
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_firmware

BOARD = board("nucleo-l4r5zi")
FLASH, RAM = BOARD.flash[0], BOARD.ram[0]
HEADS = [
    b"?", b"g", b"G", b"p", b"P", b"m", b"M", b"X", b"Z0,", b"Z2,", b"Z3,", b"Z4,", b"z2,", b"H",
    b"T", b"D", b"s", b"c", b"vCont;", b"vCont?", b"qRcmd,", b"qXfer:memory-map:read::",
    b"qXfer:features:read:target.xml:", b"qSupported", b"q", b"Q", b"v", b"",
]  # fmt: skip
EDGES = [0, 1, FLASH.address, FLASH.end - 1, RAM.address, RAM.end - 1, RAM.end, (1 << 32) - 1]
NUMBERS = st.one_of(st.sampled_from(EDGES), st.integers(0, 1 << 66)).map(lambda n: b"%x" % n)
TAILS = st.one_of(
    st.binary(max_size=60),
    st.lists(NUMBERS, max_size=4).map(b",".join),
    st.tuples(NUMBERS, NUMBERS, st.binary(max_size=20)).map(lambda p: b"%s,%s:%s" % p),
    st.tuples(NUMBERS, st.binary(max_size=20)).map(lambda p: p[0] + b"=" + p[1].hex().encode()),
)


@pytest.fixture(scope="module")
def machine() -> Iterator[DebuggedMachine]:
    elf = compile_firmware({"f.c": "int f(int x) { return x; }"}, BOARD, entry_symbols=["f"])
    made = DebuggedMachine(elf, BOARD, listen(0))
    yield made
    made.close()


@given(st.lists(st.tuples(st.sampled_from(HEADS), TAILS).map(b"".join), max_size=8))
def test_any_packet_gets_an_answer_that_fits_and_leaves_flash_alone(
    machine: DebuggedMachine, packets: list[bytes]
) -> None:
    stub, before = Stub(machine), machine.read(FLASH.address, 4096)
    for packet in packets:
        answer = stub.answer(packet)
        assert answer.reply is not None or answer.then is not None
        assert len(answer.reply or b"") <= PACKET_BYTES
    assert machine.read(FLASH.address, 4096) == before
    machine.control.clear()


@pytest.mark.parametrize(
    ("packet", "bytes_read"),
    [
        (b"m%x,ffffffffffffffff" % RAM.address, PACKET_BYTES // 2),
        (b"m%x,ffffffff" % FLASH.address, PACKET_BYTES // 2),
        (b"m%x,100" % (RAM.end - 2), 2),
        (b"m%x,4" % RAM.address, 4),
    ],
)
def test_no_more_is_read_than_there_is_and_fits(
    machine: DebuggedMachine, packet: bytes, bytes_read: int
) -> None:
    assert len(Stub(machine).answer(packet).reply or b"") == 2 * bytes_read


@pytest.mark.parametrize("address", [RAM.end - 2, RAM.address - 2, FLASH.end - 2, FLASH.address])
def test_a_write_that_is_not_all_in_ram_writes_nothing(
    machine: DebuggedMachine, address: int
) -> None:
    end, start = machine.read(RAM.end - 2, 2), machine.read(RAM.address, 2)
    for packet in (b"M%x,4:5a5a5a5a" % address, b"X%x,4:ZZZZ" % address):
        assert Stub(machine).answer(packet).reply == b"E01"
    assert (machine.read(RAM.end - 2, 2), machine.read(RAM.address, 2)) == (end, start)


@given(st.lists(st.binary(min_size=1, max_size=9000), max_size=30), st.binary(max_size=20))
def test_whatever_came_before_the_reader_keeps_little_and_reads_the_next_packet(
    chunks: list[bytes], content: bytes
) -> None:
    reader = PacketReader()
    for chunk in (b"$", *chunks):
        list(reader.feed(chunk))
        assert len(reader._unread) <= 2 * PACKET_BYTES + len(chunk)
    last = [*reader.feed(b"#00#00"), *reader.feed(frame(content))][-1]
    assert getattr(last, "content", None) == content
