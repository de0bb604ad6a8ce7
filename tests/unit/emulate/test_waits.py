"""Waits for memory, beside counts by hand for flashes and caches of every kind."""

import pytest

from smidgen.emulate.linked.accesses import NO_REGISTER, access_of
from smidgen.emulate.linked.disassembly import disassemble
from smidgen.emulate.linked.registers import register_number
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import Board, core, load_board
from smidgen.targets.toolchain import compile_firmware

THUMB = """
.syntax unified
.text
.balign 64
.global f
.type f, %function
.thumb_func
f:
{body}
.size f, . - f
.section .rodata
.balign 64
.global table
.type table, %object
table: .fill 256, 1, 7
.size table, . - table
"""
RISCV = """
.option norvc
.text
.balign 64
.global f
.type f, %function
f:
{body}
.size f, . - f
"""


def own_board(tmp_path, memory: str, core_name: str = "cortex-m4f", caches: str = "") -> Board:
    path = tmp_path / "b.toml"
    path.write_text(
        f'name = "own"\ncore = "{core_name}"\nclock_hz = 1\n'
        '[[ram]]\nname = "ram"\naddress = 0x20000000\nbytes = 65536\n'
        f'[[flash]]\nname = "flash"\naddress = 0\nbytes = 65536\n{memory}\n{caches}'
    )
    return load_board(path)


def machine_of(body: str, on: Board, *symbols: str) -> Machine:
    text = (THUMB if on.core.is_arm else RISCV).format(body=body.replace(";", "\n"))
    elf = compile_firmware({"f.S": text}, on, entry_symbols=["f", *symbols])
    return Machine(elf, on)


def waits(body: str, on: Board, calls: int = 1) -> int:
    """What the last of the calls waited."""
    symbols = ("table",) if on.core.is_arm else ()
    machine = machine_of(body, on, *symbols)
    for _ in range(calls):
        machine.clear_counts()
        machine.call("f", machine.symbol("table")[0] if symbols else on.ram[0].address)
    return machine.counts().wait_cycles


CACHE = '[[cache]]\nserves = "{}"\nregions = ["flash"]\nbytes = {}\nline_bytes = {}\nways = {}\n'
SIX_WORDS = "nop; " * 11 + "bx lr"  # 24 bytes of code at an address that is a multiple of 64


@pytest.mark.parametrize(
    ("memory", "caches", "expected"),
    [
        ("wait_states = 0", "", [0, 0]),
        ("wait_states = 3", "", [6 * 3, 6 * 3]),  # four bytes, or two instructions, a read
        ("wait_states = 3\nread_bytes = 8", "", [3 * 3, 3 * 3]),
        # The two instructions since the last read count as two of the three clocks.
        ("wait_states = 3\nprefetch = true", "", [3 + 5 * 1, 3 + 5 * 1]),
        ("wait_states = 3\nread_bytes = 16\nprefetch = true", "", [3 + 0, 3 + 0]),
        ("wait_states = 3\nread_bytes = 8", CACHE.format("code", 64, 8, 0), [9, 0]),
        # A line of two reads: 2 * (3 + 1) - 1 clocks.
        ("wait_states = 3\nread_bytes = 8", CACHE.format("both", 64, 16, 2), [7 + 7, 0]),
        # Two lines do not hold three that come round and round.
        ("wait_states = 3\nread_bytes = 8", CACHE.format("code", 16, 8, 0), [9, 9]),
        # With one place for each line, the first and the third take turns; the second stays.
        ("wait_states = 3\nread_bytes = 8", CACHE.format("code", 16, 8, 1), [9, 6]),
        ("wait_states = 3\nread_bytes = 8", CACHE.format("data", 64, 8, 0), [9, 9]),
    ],
)
def test_code(tmp_path, memory, caches, expected):
    on = own_board(tmp_path, memory, caches=caches)
    assert [waits(SIX_WORDS, on, calls) for calls in (1, 2)] == expected


def test_a_loop_that_fits_waits_once(tmp_path):
    on = own_board(tmp_path, "wait_states = 5\nread_bytes = 8")
    body = "movs r1, #100; 1: subs r1, #1; bne 1b; bx lr"
    assert waits(body, on) == 5


FETCH = "wait_states = 4\nread_bytes = 8"


@pytest.mark.parametrize(
    ("body", "caches", "expected"),
    [
        ("ldr r1, [r0]; ldr r1, [r0]; bx lr", "", 4 + 4),
        ("ldr r1, [r0]; ldr r1, [r0, #4]; bx lr", CACHE.format("data", 32, 8, 0), 4),
        ("ldrb r1, [r0, #7]; ldrb r1, [r0, #8]; bx lr", CACHE.format("data", 32, 8, 0), 4 + 4),
        ("ldr.w r1, [r0, #6]; bx lr", CACHE.format("data", 32, 8, 0), 4 + 4),  # two lines
        ("movs r1, #8; ldr.w r2, [r0, r1, lsl #2]; ldr r2, [r0, #32]; bx lr",
         CACHE.format("data", 32, 8, 0), 4),
        ("ldr r1, [r0], #64; ldr r1, [r0, #-64]; bx lr", CACHE.format("data", 32, 8, 0), 4),
        ("ldr r1, [r0, #64]!; ldr r1, [r0]; bx lr", CACHE.format("data", 32, 8, 0), 4),
        ("ldm r0, {r1, r2, r3, r12}; bx lr", CACHE.format("data", 32, 8, 0), 4 + 4),
        ("ldrd r2, r3, [r0, #16]; ldr r1, [r0, #20]; bx lr", CACHE.format("data", 32, 8, 0), 4),
        ("vldr d0, [r0]; vldr s2, [r0, #4]; bx lr", CACHE.format("data", 32, 8, 0), 4),
        ("push {r4, r5}; pop {r4, r5}; bx lr", "", 0),  # RAM does not wait
    ],
)  # fmt: skip
def test_constants_in_flash(tmp_path, body, caches, expected):
    both = CACHE.format("code", 256, 8, 0) + caches
    on = own_board(tmp_path, FETCH, caches=both)
    assert waits(body, on, 1) - waits(body, on, 2) <= 4 * 8
    machine = machine_of(body, on, "table")
    machine.call("f", machine.symbol("table")[0])
    code_lines = -(-machine.symbol("f")[1] // 8)
    assert machine.counts().wait_cycles == 4 * code_lines + expected


def test_a_literal_is_a_read_of_flash(tmp_path):
    on = own_board(tmp_path, FETCH)
    body = "ldr r1, 1f; bx lr; .balign 16; 1: .word 42"
    assert waits(body, on) == 4 + 4  # the code, and the literal


def test_an_instruction_between_two_lines_waits_for_both(tmp_path):
    on = own_board(tmp_path, FETCH)
    assert waits("nop; nop; nop; add.w r1, r1, r1; bx lr", on) == 4 + 4


def test_stores_do_not_wait_but_fill_the_cache(tmp_path):
    path = tmp_path / "b.toml"
    path.write_text(
        'name = "own"\ncore = "cortex-m7f"\nclock_hz = 1\n'
        '[[ram]]\nname = "ram"\naddress = 0x20000000\nbytes = 65536\n'
        "wait_states = 9\nread_bytes = 32\n"
        '[[flash]]\nname = "flash"\naddress = 0\nbytes = 65536\n'
        '[[cache]]\nserves = "data"\nregions = ["ram"]\nbytes = 1024\nline_bytes = 32\nways = 4\n'
    )
    on = load_board(path)
    body = "movw r0, #0x8000; movt r0, #0x2000; {}; bx lr"
    assert waits(body.format("ldr r1, [r0]"), on) == 9
    assert waits(body.format("str r1, [r0]; ldr r1, [r0, #28]"), on) == 0


def test_riscv(tmp_path):
    on = own_board(tmp_path, "wait_states = 2\nread_bytes = 8", "rv32imac")
    assert waits("nop; nop; nop; ret", on) == 2 * 2
    loads = "lui a0, 0; lw a1, 8(a0); sw a1, -4(sp); ret"
    assert waits(loads, on) == 2 * 2 + 2


def test_code_in_it_blocks_runs_as_without_simulation(tmp_path):
    body = (
        "movs r1, #0; movs r2, #20; 1: tst r2, #1; ittee ne; addne r1, #3; ldrbne r3, [r0]; "
        "addeq r1, #7; ldrbeq r3, [r0, #1]; add r1, r3; subs r2, #1; bne 1b; mov r0, r1; bx lr"
    )
    results = []
    for memory in ("wait_states = 0", "wait_states = 3"):
        machine = machine_of(body, own_board(tmp_path, memory), "table")
        at = machine.symbol("table")[0]
        results.append([machine.call("f", at) for _ in range(4)])
        assert bool(machine.counts().wait_cycles) == (memory[-1] != "0")
    assert results[0] == results[1] == [20 * 7 + 10 * (3 + 7)] * 4


def test_later_calls_are_taken_to_wait_like_the_second(tmp_path):
    on = own_board(
        tmp_path, "wait_states = 3\nread_bytes = 8", caches=CACHE.format("code", 64, 8, 0)
    )
    machine = machine_of(SIX_WORDS, on)
    found = []
    for _ in range(4):
        machine.clear_counts()
        machine.call("f")
        found.append(machine.counts().wait_cycles)
    assert found == [9, 0, 0, 0]


def test_code_that_runs_late_is_simulated_late(tmp_path):
    on = own_board(tmp_path, "wait_states = 3\nread_bytes = 4")
    machine = machine_of("cmp r0, #0; bne 1f; bx lr; .balign 4; 1: nop; nop; nop; bx lr", on)
    for argument in (0, 0, 0, 1):
        machine.clear_counts()
        machine.call("f", argument)
    assert machine.counts().wait_cycles == 3  # what is known: the way to the branch
    machine.clear_counts()
    machine.call("f", 1)
    assert machine.counts().wait_cycles == 3 + 2 * 3


def test_operands_are_read_as_the_manual_means_them():
    on = core("cortex-m4f")
    # ldr.w r1, [r2, r3, lsl #2]; tbh [pc, r0, lsl #1]; stmdb r4!, {r5, r6}; adds r1, r1, r1
    code = bytes.fromhex("52f82310 dfe810f0 24e96000 4918")
    found = [access_of(each, on) for each in disassemble(on, code, 0x100)]
    first, table, down, none = found
    assert (first.base, first.index) == (register_number(on, "r2"), register_number(on, "r3"))
    assert (first.shift, first.bytes, first.is_store) == (2, 4, False)
    assert (table.base, table.offset, table.shift, table.bytes) == (NO_REGISTER, 0x108, 1, 2)
    assert (down.offset, down.bytes, down.is_store) == (-8, 8, True)
    assert none is None
