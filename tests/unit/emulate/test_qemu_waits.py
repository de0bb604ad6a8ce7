"""Waits for memory on QEMU: the same as on Unicorn, and those of vectors counted by hand."""

from itertools import pairwise

import pytest

from smidgen.emulate.program import FirmwareSources
from smidgen.emulate.qemu.machine import QemuMachine, open_qemu
from smidgen.emulate.qemu.placement import placement
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import Board, load_board
from support.qemu import needs_qemu

pytestmark = needs_qemu

SOURCE = """
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
table: .fill 64, 4, 0x40302010
.size table, . - table
.global offsets
.type offsets, %object
.balign 16
offsets: .byte 0, 64, 1, 65, 2, 66, 3, 67, 4, 68, 5, 69, 6, 70, 7, 71
.size offsets, . - offsets
"""
DATA = '[[cache]]\nserves = "data"\nregions = ["flash"]\nbytes = {}\nline_bytes = {}\nways = {}\n'
CODE = '[[cache]]\nserves = "code"\nregions = ["flash"]\nbytes = 64\nline_bytes = 8\nways = 1\n'


def own_board(tmp_path, memory: str, caches: str = "", core_name: str = "cortex-m4f") -> Board:
    path = tmp_path / "b.toml"
    path.write_text(
        f'name = "own"\ncore = "{core_name}"\nclock_hz = 1\n'
        '[[ram]]\nname = "ram"\naddress = 0x20000000\nbytes = 65536\nwait_states = 1\n'
        f'[[flash]]\nname = "flash"\naddress = 0x8000000\nbytes = 65536\n{memory}\n{caches}'
    )
    return load_board(path)


def program(body: str) -> FirmwareSources:
    text = SOURCE.format(body=body.replace(";", "\n"))
    return FirmwareSources({"f.S": text}, ("f", "table", "offsets"))


def waits(machine: Machine | QemuMachine, calls: int = 3) -> list[int]:
    """What each call waited."""
    found = []
    for _ in range(calls):
        machine.clear_counts()
        machine.call("f", machine.symbol("table")[0], machine.symbol("offsets")[0], 7)
        found.append(machine.counts().wait_cycles)
    return found


@pytest.mark.parametrize(
    "memory",
    [
        "wait_states = 3",
        "wait_states = 5\nread_bytes = 8\nprefetch = true",
        "wait_states = 2\nread_bytes = 16",
    ],
)
@pytest.mark.parametrize("caches", ["", CODE, DATA.format(32, 8, 0), DATA.format(64, 16, 2) + CODE])
@pytest.mark.parametrize(
    "body",
    [
        "1: ldr r3, [r0], #4; subs r2, #1; bne 1b; bx lr",
        "ldm r0, {r1, r2, r3, r12}; ldrd r2, r3, [r0, #20]; ldr.w r1, [r0, #6]; bx lr",
        "push {r4-r7, lr}; ldrb r4, [r0, #9]; ldrsh r5, [r0, #31]; vldr d0, [r0, #4]; "
        "str r4, [sp, #4]; pop {r4-r7, pc}",
        "1: tst r2, #1; ittee ne; addne r3, #3; ldrbne r3, [r0, r2]; addeq r3, #7; "
        "ldrheq r3, [r0, #64]; subs r2, #1; bne 1b; cmp r2, #0; it eq; bxeq lr; bx lr",
        "ldr r3, 1f; ldr r3, [r3]; tbb [pc, r2]; .byte 4, 4, 4, 4, 4, 4, 4, 4; bx lr; "
        ".balign 4; 1: .word table",
    ],
)
def test_both_emulators_wait_the_same(tmp_path, body, memory, caches):
    on = own_board(tmp_path, memory, caches)
    compiled = program(body)
    expected = waits(Machine(compiled.link(on), on))
    assert expected[0] > 0
    assert waits(open_qemu(compiled, on)) == expected


C_SOURCE = """
#include <stdint.h>
static const char *const words[] = {"one", "two", "three", "four", "five", "six", "seven"};
static uint32_t sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
const uint32_t table[4] = {1, 2, 3, 4};
const uint8_t offsets[4] = {1, 2, 3, 4};
uint32_t f(const uint32_t *t, const uint8_t *o, uint32_t n);
uint32_t f(const uint32_t *t, const uint8_t *o, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) {
        for (const char *at = words[i]; *at != 0; ++at) {
            sums[i & 7u] += (uint32_t)*at + t[i & 3u] + o[i & 3u];
        }
    }
    return sums[n];
}
"""


def test_what_has_no_symbol_is_found_on_the_board_too(tmp_path):
    on = own_board(tmp_path, "wait_states = 5\nread_bytes = 8", DATA.format(32, 8, 0) + CODE)
    compiled = FirmwareSources({"z.c": C_SOURCE}, ("f", "table", "offsets"))
    assert waits(open_qemu(compiled, on)) == waits(Machine(compiled.link(on), on))


def test_code_that_runs_late_is_simulated_late(tmp_path):
    body = "cmp r2, #7; bne 1f; bx lr; .balign 4; 1: nop; nop; nop; bx lr"
    on = own_board(tmp_path, "wait_states = 3\nread_bytes = 4")
    compiled = program(body)
    found = []
    for machine in (Machine(compiled.link(on), on), open_qemu(compiled, on)):
        rows = []
        for argument in (7, 7, 7, 1, 1):
            machine.clear_counts()
            machine.call("f", 0, 0, argument)
            rows.append(machine.counts().wait_cycles)
        found.append(rows)
    assert found[0] == found[1]
    assert found[1][-1] - found[1][-2] == 2 * 3


def test_the_monitor_is_no_part_of_the_board(tmp_path):
    on = own_board(tmp_path, "wait_states = 3")
    compiled = program("bx lr")
    machine = open_qemu(compiled, on)
    here = machine.own_firmware
    spans = placement(machine.firmware, here)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    for name in ("smg_monitor_start", "smg_monitor_main"):
        address = here.symbols[name].address
        assert not any(span.start <= address < span.end for span in spans)


FLASH = "wait_states = 4\nread_bytes = 4"
LINES = DATA.format(64, 16, 0)
LINE = 4 * 5 - 1
"""The clocks until a line of four reads has come, beyond the one of the load itself."""


@pytest.mark.parametrize(
    ("body", "caches", "expected"),
    [
        ("vldrb.u8 q0, [r0]", "", 4 * 4),
        ("vldrb.u8 q0, [r0]", LINES, LINE),
        ("vldrb.u8 q0, [r0, #8]", LINES, 2 * LINE),
        ("vldrb.u16 q0, [r0, #8]", LINES, LINE),  # eight bytes, made wider
        ("vldrw.u32 q0, [r0], #16; vldrw.u32 q1, [r0]", LINES, 2 * LINE),
        ("vldrw.u32 q0, [r0]; vldrb.u8 q0, [r0]", LINES, LINE),
        # The offsets are one line; eight bytes each of the lines at 0 and 64 are gathered.
        ("vldrb.u8 q1, [r1]; vldrb.u8 q0, [r0, q1]", LINES, LINE + 2 * LINE),
        ("vldrb.u8 q1, [r1]; vldrb.u8 q0, [r0, q1]", "", 4 * 4 + 16 * 4),
        # Of 16 bytes from byte 12 on, the first 7 and the first 4 are loaded.
        ("vctp.8 r2; vpst; vldrbt.u8 q0, [r0, #12]", LINES, 2 * LINE),
        ("movs r2, #4; vctp.8 r2; vpst; vldrbt.u8 q0, [r0, #12]", LINES, LINE),
        ("; ".join(f"vld4{n}.8 {{q0, q1, q2, q3}}, [r0]" for n in range(4)), LINES, 4 * LINE),
    ],
)  # fmt: skip
def test_vectors(tmp_path, body, caches, expected):
    code = (
        '[[cache]]\nserves = "code"\nregions = ["flash"]\nbytes = 64\nline_bytes = 64\nways = 0\n'
    )
    on = own_board(tmp_path, FLASH, code + caches, "cortex-m55")
    fetched = 64 // 4 * 5 - 1  # all code lies in one line
    assert waits(open_qemu(program(f"{body}; bx lr"), on), 1)[0] - fetched == expected
