"""Memory that a debugger watches: every kind of load and store, on cores of every kind."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from unicorn import UC_HOOK_CODE, UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE, UC_MEM_WRITE

import smidgen
from smidgen.emulate.device import Device
from smidgen.emulate.gdb.machine import DebuggedMachine
from smidgen.emulate.linked.accesses import NO_REGISTER, Access, accesses
from smidgen.emulate.live.lines import listen
from smidgen.emulate.proof import random_samples
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import Board, board
from smidgen.targets.toolchain import compile_firmware
from support.gdb_client import GdbClient
from support.graphs import small_convnet

M7, M33, M0, RISCV = "teensy-4.1", "lpc55s69-evk", "raspberry-pi-pico", "esp32-p4-function-ev"
CHANGES, LOADS, ACCESSES = 2, 3, 4  # as GDB numbers them in Z packets
WORDS = {CHANGES: "watch", LOADS: "rwatch", ACCESSES: "awatch"}
PC = {True: 15, False: 32}

CODE = """
.text
.balign 16
{setup}
.global f
.type f, %function
{thumb}
f:
{body}
.size f, . - f
.data
.balign 64
.global data
.type data, %object
data: .fill 256, 1, 7
.size data, . - data
"""


class Bench:
    """A function in assembly on a board with a debugger; `data` is 256 bytes of sevens in RAM."""

    def __init__(self, name: str, body: str) -> None:
        self.board: Board = board(name)
        is_arm = self.board.core.is_arm
        text = CODE.format(
            setup=".syntax unified" if is_arm else "", thumb=".thumb_func" if is_arm else "",
            body=body.replace(";", "\n"),
        )  # fmt: skip
        elf = compile_firmware({"f.S": text}, self.board, entry_symbols=["f", "data"])
        self.listener = listen(0)
        self.machine = DebuggedMachine(elf, self.board, self.listener)
        self.data = self.machine.symbol("data")[0]
        self.code = self.machine.symbol("f")[0]

    def debug(self, script: Callable[[GdbClient], None], *args: int) -> int:
        """What the function returns, called with the address of `data` and `args`."""

        def attached() -> None:
            with GdbClient(f"127.0.0.1:{self.listener.getsockname()[1]}") as client:
                script(client)
                client.ask(b"D")

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(attached)
            select.select([self.machine.debug_handle], [], [])
            result = self.machine.call("f", self.data, *args)
            done.result(60)
        return result

    def hits(self, *watches: tuple[int, int, int], args: tuple[int, ...] = ()) -> list[str]:
        """What stops the core: "watch 4 @ 2" for byte 4 of `data`, behind 2 bytes of code."""
        found = []

        def script(client: GdbClient) -> None:
            client.ask(b"?")
            assert client.ask(b"Z0,%x,2" % self.end) == b"OK"
            for kind, offset, count in watches:
                assert client.ask(b"Z%d,%x,%x" % (kind, self.data + offset, count)) == b"OK"
            while True:
                client.send(b"c")
                stop = client.receive().decode()
                if not stop.startswith("T05thread:1;") or "watch:" not in stop:
                    return
                kind, _, address = stop.removeprefix("T05thread:1;").rstrip(";").partition(":")
                at = client.number(PC[self.board.core.is_arm])
                found.append(f"{kind} {int(address, 16) - self.data} @ {at - self.code}")
                if at == self.end:
                    return

        self.debug(script, *args)
        return found

    @property
    def end(self) -> int:
        return self.machine._trap


Make = Callable[[str, str], Bench]


@pytest.fixture
def make() -> Iterator[Make]:
    with ExitStack() as kept:

        def made(name: str, body: str) -> Bench:
            bench = Bench(name, body)
            kept.callback(bench.machine.close)
            return bench

        yield made


BETWEEN = {
    M7: "nop.w; {}; nop.w; bx lr", M33: "nop.w; {}; nop.w; bx lr", M0: "nop; nop; {}; nop; bx lr",
    RISCV: ".option norvc; nop; .option rvc; {}; .option norvc; nop; ret",
}  # fmt: skip
BEHIND = range(6, 10)
"""Where an instruction of two or four bytes ends that stands behind four bytes."""


def place_of(hit: str) -> str:
    """The hit itself, told right behind the instruction."""
    said, _, behind = hit.rpartition(" @ ")
    assert int(behind) in BEHIND
    return said


THUMB_LOADS = [
    ("ldr r1, [r0, #8]", 8, 4), ("ldr.w r1, [r0, #9]", 9, 4), ("ldrb r1, [r0, #31]", 31, 1),
    ("ldrh r1, [r0, #2]", 2, 2), ("ldrsb.w r1, [r0, #3]", 3, 1), ("ldrsh.w r1, [r0, #2]", 2, 2),
    ("ldr r1, [r0, #64]!", 64, 4), ("ldr r1, [r0], #64", 0, 4), ("ldrd r2, r3, [r0, #16]", 16, 8),
    ("ldm r0!, {r1, r2, r3}", 0, 12), ("ldm.w r0, {r1, r2, r12}", 0, 12),
    ("vldr d0, [r0, #8]", 8, 8), ("vldr s3, [r0, #12]", 12, 4), ("vldmia r0, {s0-s4}", 0, 20),
    ("vldmia r0!, {d0-d7}", 0, 64), ("ldrex r1, [r0, #4]", 4, 4), ("ldrt r1, [r0, #4]", 4, 4),
]  # fmt: skip
THUMB_STORES = [
    ("str r0, [r0, #8]", 8, 4), ("strb r0, [r0, #31]", 31, 1), ("strh r0, [r0, #2]", 2, 2),
    ("strd r0, r0, [r0, #16]", 16, 8), ("stm r0, {r0, r1}", 0, 8), ("str r1, [r0], #4", 0, 4),
    ("stm r0!, {r1, r2}", 0, 8), ("vstr d0, [r0, #8]", 8, 8), ("vstmia r0, {s0-s3}", 0, 16),
]  # fmt: skip
RISCV_LOADS = [
    ("lw a1, 8(a0)", 8, 4), ("c.lw a1, 8(a0)", 8, 4), ("lbu a1, 31(a0)", 31, 1),
    ("lb a1, 3(a0)", 3, 1), ("lh a1, 2(a0)", 2, 2), ("lhu a1, 2(a0)", 2, 2),
    ("flw fa0, 12(a0)", 12, 4), ("c.flw fa0, 12(a0)", 12, 4), ("lr.w a1, (a0)", 0, 4),
]  # fmt: skip
RISCV_STORES = [
    ("sw a0, 8(a0)", 8, 4), ("c.sw a0, 8(a0)", 8, 4), ("sb a0, 31(a0)", 31, 1),
    ("sh a0, 2(a0)", 2, 2), ("fsw fa0, 12(a0)", 12, 4), ("c.fsw fa0, 12(a0)", 12, 4),
]  # fmt: skip
LOADING = [
    *((M7, *row) for row in THUMB_LOADS), (M33, "lda r1, [r0]", 0, 4), (M33, "ldab r1, [r0]", 0, 1),
    (M0, "ldr r1, [r0, #8]", 8, 4), (M0, "ldm r0!, {r1, r2, r3}", 0, 12),
    *((RISCV, *row) for row in RISCV_LOADS),
]  # fmt: skip
STORING = [
    *((M7, *row) for row in THUMB_STORES), (M33, "stl r0, [r0]", 0, 4),
    (M0, "stm r0!, {r1, r2}", 0, 8), *((RISCV, *row) for row in RISCV_STORES),
]  # fmt: skip


@pytest.mark.parametrize(("name", "instruction", "offset", "count"), LOADING)
def test_a_load_is_told_once_it_has_run(
    make: Make, name: str, instruction: str, offset: int, count: int
) -> None:
    bench = make(name, BETWEEN[name].format(instruction))
    for at in (offset, offset + count - 1):
        for kind in (LOADS, ACCESSES):
            assert [place_of(hit) for hit in bench.hits((kind, at, 1))] == [f"{WORDS[kind]} {at}"]
        assert not bench.hits((CHANGES, at, 1))
    assert not bench.hits((ACCESSES, offset + count, 1))
    assert not offset or not bench.hits((ACCESSES, offset - 1, 1))


@pytest.mark.parametrize(("name", "instruction", "offset", "count"), STORING)
def test_a_store_is_told_once_it_has_run(
    make: Make, name: str, instruction: str, offset: int, count: int
) -> None:
    bench = make(name, BETWEEN[name].format(instruction))
    for at in (offset, offset + count - 1):
        bench.machine.reset()
        assert [place_of(hit) for hit in bench.hits((CHANGES, at, 1))] == [f"watch {at}"]
    assert [place_of(hit) for hit in bench.hits((ACCESSES, offset, 99))] == [f"awatch {offset}"]
    assert not bench.hits((LOADS, offset, count))
    assert not bench.hits((ACCESSES, offset + count, 8))


def test_a_store_of_the_same_value_is_an_access_and_no_change(make: Make) -> None:
    body = "movs r1, #7; movs r2, #8; strb r1, [r0]; strb r2, [r0]; strb r2, [r0]; bx lr"
    for name in (M7, M0):
        bench = make(name, body)
        assert bench.hits((CHANGES, 0, 4)) == ["watch 0 @ 8"]
        bench.machine.reset()
        assert bench.hits((ACCESSES, 0, 4)) == ["awatch 0 @ 6", "awatch 0 @ 8", "awatch 0 @ 10"]
        assert not bench.hits((LOADS, 0, 4))


def test_an_atomic_operation_loads_and_stores(make: Make) -> None:
    bench = make(RISCV, "li a1, 1; amoadd.w a2, a1, (a0); ret")
    assert bench.hits((LOADS, 0, 4)) == ["rwatch 0 @ 6"]
    assert bench.hits((CHANGES, 0, 4)) == ["watch 0 @ 6"]


@pytest.mark.parametrize("name", [M7, M0])
def test_the_stack_is_watched_too(make: Make, name: str) -> None:
    bench = make(name, "push {r4, lr}; nop; pop {r4, pc}")
    top = bench.machine.firmware.stack.stop - bench.data
    hits = bench.hits((ACCESSES, top - 4, 4))
    assert hits == [
        f"awatch {top - 4} @ 2",
        f"awatch {top - 4} @ {bench.end - bench.code}",  # behind the last instruction of the call
    ]


def test_literals_and_tables_in_flash_are_read(make: Make) -> None:
    literal = make(M7, "ldr r1, 1f; movs r2, #1; 2: tbb [pc, r2]; .byte 1, 1; bx lr; .balign 4;"
                        "1: .word 42")  # fmt: skip
    offset = literal.code - literal.data
    assert literal.hits((LOADS, offset + 12, 4), (LOADS, offset + 9, 1)) == [
        f"rwatch {offset + 12} @ 2", f"rwatch {offset + 9} @ 10",
    ]  # fmt: skip


CONDITIONS = ["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"]
COMPARED = [(1, 1), (1, 2), (2, 1), (0, 0x8000_0000), (0x8000_0000, 1), (0x7FFF_FFFF, 0xFFFF_FFFF)]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_loads_that_are_not_executed_are_not_told(make: Make, condition: str) -> None:
    other = CONDITIONS[CONDITIONS.index(condition) ^ 1]
    body = (
        f"cmp r1, r2; mov r3, r0; movs.w r12, #0; cmp r1, r2; ite {condition};"
        f"ldrb{condition} r12, [r3, #1]; ldrb{other} r12, [r3, #2]; mov r0, r12; bx lr"
    )
    bench = make(M7, body)
    bench.machine.write(bench.data, bytes([0, 1, 2, 3]))
    seen = set()
    for args in COMPARED:
        ran = bench.machine.call("f", bench.data, *args)
        hits = bench.hits((LOADS, 0, 64), args=args)
        assert [hit.rpartition(" @ ")[0] for hit in hits] == [f"rwatch {ran}"]
        seen.add(ran)
    assert seen == {1, 2}


def test_what_happens_in_an_it_block_is_told_behind_it(make: Make) -> None:
    body = (
        "movs r1, #1; cmp r1, #1; itett eq; strbeq r1, [r0, #1]; strbne r1, [r0, #2];"
        "strbeq r1, [r0, #3]; ldrbeq r2, [r0, #4]; nop; bx lr"
    )
    bench = make(M7, body)
    assert bench.hits((CHANGES, 0, 64)) == ["watch 1 @ 14"]
    bench.machine.reset()
    assert bench.hits((CHANGES, 3, 1)) == ["watch 3 @ 14"]
    bench.machine.reset()
    assert not bench.hits((ACCESSES, 2, 1))
    assert bench.hits((LOADS, 4, 1)) == ["rwatch 4 @ 14"]


def test_a_breakpoint_behind_it_does_not_hide_a_load(make: Make) -> None:
    bench = make(M7, "ldr r1, [r0]; nop; bx lr")
    stops = []

    def script(client: GdbClient) -> None:
        client.ask(b"?")
        client.ask(b"Z0,%x,2" % (bench.code + 2))
        client.ask(b"Z3,%x,4" % bench.data)
        client.send(b"c")
        stops.append(client.receive())

    bench.debug(script)
    assert stops == [b"T05thread:1;rwatch:%x;" % bench.data]


@pytest.mark.parametrize("name", [M7, M0, RISCV])
def test_pauses_between_blocks_tell_nothing_twice(
    make: Make, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core is looked after now and then, which must not show."""
    monkeypatch.setattr("smidgen.emulate.gdb.machine._PAUSE_INSTRUCTIONS", 1)
    loop = {
        True: "movs r1, #5; 1: ldrb r2, [r0]; subs r1, #1; bne 1b; ldrb r2, [r0, #1]; bx lr",
        False: "li a1, 5; 1: lbu a2, 0(a0); addi a1, a1, -1; bnez a1, 1b; lbu a2, 1(a0); ret",
    }
    hits = make(name, loop[board(name).core.is_arm]).hits((LOADS, 0, 2))
    assert [hit.rpartition(" @ ")[0] for hit in hits] == ["rwatch 0"] * 5 + ["rwatch 1"]


# -- what is known of the code, beside what the emulator does


@pytest.mark.parametrize("name", [M0, "esp32-c3"])
def test_every_byte_that_an_inference_reaches_was_foreseen(name: str) -> None:
    """Unicorn's memory hooks tell where there are no IT blocks to disturb."""
    graph = small_convnet()
    device = Device(smidgen.compile(graph, name), board(name))
    machine = device.machine
    assert isinstance(machine, Machine)
    known = {each.pc: each for each in accesses(machine.firmware.code, machine.board.core)}
    foreseen: list[tuple[int, bool]] = []
    reached: list[tuple[int, bool]] = []

    def on_code(engine, pc: int, count: int, user: object) -> None:
        def value(number: int) -> int:
            return 0 if number == NO_REGISTER else engine.reg_read(number)

        access: Access | None = known.get(pc)
        if access:
            at = value(access.base) + (value(access.index) << access.shift) + access.offset
            foreseen.extend(((at + i) & 0xFFFF_FFFF, access.is_store) for i in range(access.bytes))

    def on_memory(engine, kind: int, at: int, count: int, value: int, user: object) -> None:
        reached.extend((at + i, kind == UC_MEM_WRITE) for i in range(count))

    machine._engine.hook_add(UC_HOOK_CODE, on_code)
    machine._engine.hook_add(UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, on_memory)
    machine._engine.ctl_flush_tb()
    device.run(random_samples(graph, 1)[0])
    assert len(reached) > 10_000
    assert foreseen == reached
