"""Modelled clocks of short sequences, counted by hand from the manuals' tables."""

import pytest

from smidgen.emulate.machine import Machine
from smidgen.targets.catalogue import board, load_board
from smidgen.targets.toolchain import compile_firmware

THUMB = """
.syntax unified
.text
.global f
.type f, %function
.thumb_func
f:
{body}
.size f, . - f
"""
RISCV = ".text\n.global f\n.type f, %function\nf:\n{body}\n.size f, . - f\n"
BX_M4 = 1 + 2  # BX: 1 + P, P of an indirect jump modelled as 2
BX_M0 = 2


def cycles(name: str, body: str, *args: int) -> int:
    text = (THUMB if board(name).core.is_arm else RISCV).format(body=body.replace(";", "\n"))
    elf = compile_firmware({"f.S": text}, board(name), entry_symbols=["f"])
    machine = Machine(elf, board(name))
    machine.call("f", board(name).ram[0].address, *args)
    return machine.counts().modelled_cycles


# Cortex-M4 TRM (DDI 0439), 3.3 (instructions; load/store timings) and 7.2.3.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("adds r1, r1, r2; eors r1, r2", 1 + 1),
        ("ldr r1, [r0]; ldr r2, [r0, #4]; ldr r3, [r0, #8]", 2 + 1 + 1),
        ("ldr r1, [r0]; adds r1, r1, r1", 2 + 1),
        ("str r0, [r0]; ldr r1, [r0]; ldr r1, [r1]", 1 + 2 + 2),  # address depends: no overlap
        ("ldr r1, [r0]; str r1, [r0, #4]", 2 + 1),
        ("movs r1, #4; nop; str r1, [r0, r1]", 1 + 1 + 2),
        ("movs r1, #4; str r1, [r0, r1]", 1 + 1 + 2),  # the address was computed just before
        ("adds r2, r0, #4; ldr r1, [r2]", 1 + 1 + 2),
        ("adds r2, r0, #4; ldr r1, [r0]", 1 + 2),
        ("movs r1, #4; ldr r2, [r0]; str r2, [r0, r1]", 1 + 2 + 1),
        ("ldm r0, {r1, r2, r3}", 1 + 3),
        ("push {r4, r5, r6, r7}; pop {r4, r5, r6, r7}", 5 + 5),
        ("ldrd r2, r3, [r0]", 1 + 2),
        ("smlad r1, r2, r3, r1; smull r1, r2, r3, r0; mla r1, r2, r3, r1", 1 + 1 + 1),
        ("movs r1, #3; udiv r2, r0, r1", 1 + 7),
        ("cmp r0, #0; it eq; moveq r0, #1", 1 + 0 + 1),  # IT folds into the 16-bit CMP
        ("cmp.w r0, #0; it eq; moveq r0, #1", 1 + 1 + 1),
        ("vldr s0, [r0]; vadd.f32 s0, s0, s0; vfma.f32 s1, s0, s0", 2 + 1 + 3),
        ("vmov.f32 s0, #1.0; vdiv.f32 s1, s0, s0; vsqrt.f32 s2, s0", 1 + 14 + 14),
        ("vpush {s16, s17}; vpop {d8}", 3 + 3),
        ("b 1f; nop; 1: nop", (1 + 1) + 1),
    ],
)
def test_cortex_m4(body, expected):
    assert cycles("nucleo-l4r5zi", f"{body}; bx lr") == expected + BX_M4


def test_cortex_m4_loop():
    body = "movs r2, #0; 1: ldr r3, [r0], #4; add r2, r3; subs r1, #1; bne 1b; mov r0, r2; bx lr"
    assert cycles("nucleo-l4r5zi", body, 10) == 1 + 10 * (2 + 1 + 1 + 1) + 9 * 1 + 1 + BX_M4


# Cortex-M3 TRM (DDI 0337), 3.3.1; the board's flash waits 2 clocks for each jump that is taken.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("mla r1, r2, r3, r1; muls r1, r2, r1", 2 + 1),
        ("smull r1, r2, r3, r0", 4),
        ("smlal r1, r2, r3, r0", 5),
    ],
)
def test_cortex_m3(body, expected):
    assert cycles("nucleo-f103rb", f"{body}; bx lr") == expected + BX_M4 + 2


# Cortex-M0+ TRM (DDI 0484), 3.3.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("adds r1, r1, r2; muls r1, r2, r1", 1 + 1),
        ("ldr r1, [r0]; ldr r2, [r0, #4]; str r2, [r0]", 2 + 2 + 2),
        ("ldm r0!, {r1, r2, r3}", 1 + 3),
        ("push {r4, r5, lr}; pop {r4, r5}; pop {r1}", 4 + 3 + 2),
        ("b 1f; nop; 1: nop", 2 + 1),
    ],
)
def test_cortex_m0plus(body, expected):
    assert cycles("raspberry-pi-pico", f"{body}; bx lr") == expected + BX_M0


def test_cortex_m0plus_calls():
    # BL 3, BX 2, POP {.., pc} 3 + N
    body = "push {r4, lr}; bl 1f; pop {r4, pc}; 1: bx lr"
    assert cycles("raspberry-pi-pico", body) == 3 + 3 + 2 + (3 + 2)


def test_cortex_m0plus_loop():
    body = "movs r2, #0; 1: ldm r0!, {r3}; adds r2, r2, r3; subs r1, #1; bne 1b; mov r0, r2; bx lr"
    assert cycles("raspberry-pi-pico", body, 10) == 1 + 10 * (2 + 1 + 1 + 1) + 9 * 1 + 1 + BX_M0


def test_cortex_m7_pairs_what_is_independent():
    alone = "adds r1, r1, r1; adds r1, r1, r1; adds r1, r1, r1; adds r1, r1, r1; bx lr"
    pairs = "add.w r1, r2, r2; add.w r3, r2, r2; add.w r1, r2, r2; add.w r3, r2, r2; bx lr"
    assert cycles("nucleo-h743zi", alone) - cycles("nucleo-h743zi", pairs) in (1, 2)


def test_riscv_waits_for_a_load_that_is_used_at_once():
    used = cycles("esp32-c3", "lw a1, 0(a0); add a1, a1, a1; nop; ret")
    later = cycles("esp32-c3", "lw a1, 0(a0); nop; add a1, a1, a1; ret")
    assert (used, later) == (4 + 1 + 2, 4 + 2)  # RET adds 2


def test_wait_states_count_where_no_cache_hides_them(tmp_path):
    name = "own"
    clocks = {}
    for fetch in ("cache", "prefetch", "none"):
        (tmp_path / "b.toml").write_text(
            f'name = "{name}"\ncore = "cortex-m4f"\nclock_hz = 1\n'
            'ram = [{ name = "ram", address = 0x20000000, bytes = 65536 }]\n'
            '[[flash]]\nname = "flash"\naddress = 0\nbytes = 65536\n'
            f'wait_states = 3\nfetch = "{fetch}"\n'
        )
        own = load_board(tmp_path / "b.toml")
        text = THUMB.format(body="nop\n" * 15 + "bx lr")
        machine = Machine(compile_firmware({"f.S": text}, own, entry_symbols=["f"]), own)
        machine.call("f")
        clocks[fetch] = machine.counts().modelled_cycles
    assert clocks == {
        "cache": 15 + BX_M4,
        "prefetch": 15 + BX_M4 + 3,
        "none": 15 + BX_M4 + 3 + 4 * 3,
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("adds r1, r1, r2; ldr r1, [r0]", 1 + 2),
        ("push {r4, r5}; pop {r4, r5}", 3 + 3),
        ("dmb", 4),
    ],
)
def test_cortex_m0(body, expected):
    """Cortex-M0 TRM (DDI 0432), 3.3; BX takes 3, and its target waits once for the flash."""
    assert cycles("nucleo-f091rc", f"{body}; bx lr") == expected + 3 + 1
