"""Modelled clocks of short sequences, counted by hand from the manuals' tables."""

import pytest

from smidgen.emulate.linked.disassembly import Instruction, disassemble
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.emulate.timing.blocks import Block
from smidgen.emulate.timing.cycles import table_cycles
from smidgen.emulate.timing.models import BlockCost, cycle_model
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import board, boards
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
JUMPS = ("b", "bx", "cbz", "cbnz", "le")


def cycles(name: str, body: str, *args: int) -> int:
    text = (THUMB if board(name).core.is_arm else RISCV).format(body=body.replace(";", "\n"))
    elf = compile_firmware({"f.S": text}, board(name), entry_symbols=["f"])
    machine = Machine(elf, board(name))
    machine.call("f", board(name).ram[0].address, *args)
    counts = machine.counts()
    return counts.modelled_cycles - counts.wait_cycles


def straight(name: str, body: str) -> float:
    """The clocks of a block, by the table of the board's core; nothing runs."""
    return cycle_model(board(name).core.cycle_model)(block_of(name, body)).straight


def jump(name: str, body: str) -> BlockCost:
    """The cost of the block that ends in the first jump of `body`."""
    code = block_of(name, body)
    ends = (n for n, each in enumerate(code, 1) if each.name in JUMPS)
    return cycle_model(board(name).core.cycle_model)(code[: next(ends)])


def block_of(name: str, body: str) -> tuple[Instruction, ...]:
    on = board(name).core
    text = THUMB.format(body=body.replace(";", "\n") + "\nbx lr")
    firmware = read_firmware(compile_firmware({"f.S": text}, board(name), entry_symbols=["f"]))
    found = firmware.symbols["f"]
    code = firmware.code_bytes(found.address, found.bytes - 2)
    return tuple(disassemble(on, code, found.address))


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


# Cortex-M3 TRM (DDI 0337), 3.3.1.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("mla r1, r2, r3, r1; muls r1, r2, r1", 2 + 1),
        ("smull r1, r2, r3, r0", 4),
        ("smlal r1, r2, r3, r0", 5),
    ],
)
def test_cortex_m3(body, expected):
    assert cycles("nucleo-f103rb", f"{body}; bx lr") == expected + BX_M4


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


# LLVM's ARMScheduleM7.td.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add.w r1, r2, r2; add.w r3, r2, r2", 1),  # two ALUs
        ("adds r1, r1, r1; adds r1, r1, r1", 2),  # the second needs the first
        ("ldr r1, [r0]; ldr r2, [r0, #4]", 1),  # two load units
        ("str r2, [r0]; str r2, [r0, #4]", 2),  # one store unit
        ("mul r1, r2, r2; mul r3, r2, r2", 2),  # one multiplier
        ("smlad r1, r2, r2, r1; smlad r1, r2, r2, r1; smlad r1, r2, r2, r1", 3),  # sums late
        ("mul r1, r2, r2; add.w r3, r1, r1", 3),  # other uses of a product wait
        ("ldr r1, [r0]; add.w r2, r1, r1", 2),
        ("ldrb r1, [r0]; add.w r2, r1, r1", 3),  # a byte comes a clock late
        ("add.w r1, r0, #4; ldr r2, [r1]", 3),  # an address is needed a clock early
        ("lsl.w r1, r2, #1; lsl.w r3, r2, #1", 2),  # one shifter
        ("add.w r1, r2, r2; sxtb16 r3, r2", 2),  # SIMD goes first
        ("sxtb16 r3, r2; add.w r1, r2, r2", 1),
        ("ldm r0, {r1, r2, r3, r12}", 2),  # 64 bits a clock
        ("movs r1, #3; udiv r2, r0, r1", 1 + 7),
    ],
)
def test_cortex_m7(body, expected):
    assert straight("nucleo-h743zi", body) == expected


# The rules in cortex_m33.py.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("adds r1, r1, r2; eors r1, r2", 2),  # neither may join
        ("adds r1, r1, r2; movs r3, #1", 1),  # the second may
        ("adds r1, r1, r2; mov.w r3, #1", 2),  # but not with 32 bits
        ("ldr r1, [r0]; adds r1, r1, r2", 3),  # waits for the load
        ("ldr r1, [r0]; ldr r2, [r0, #4]; adds r1, r1, r3", 3),
        ("smlad r1, r2, r2, r1; smlad r1, r2, r2, r1", 2),  # sums pass on
        ("mul r1, r2, r2; adds r3, r1, r1", 3),  # a product is a clock late
        ("sxtb16 r1, r2; adds r3, r1, r1", 3),
        ("ldm r0, {r1, r2, r3}", 3),
        ("ldrd r1, r2, [r0]", 2),
        ("udiv r1, r0, r1", 7),
        ("vldr s0, [r0]; vadd.f32 s1, s0, s0; vfma.f32 s2, s1, s1", 1 + 1 + 1 + 1 + 1),
    ],
)
def test_cortex_m33(body, expected):
    assert straight("nucleo-u575zi", body) == expected


# LLVM's ARMScheduleM55.td: two beats for each vector, in one of three pipes.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("vldrb.u8 q0, [r1]; vldrb.u8 q1, [r2]", 1 + 2),  # the second waits for the pipe
        ("vldrb.u8 q0, [r1]; vmladavax.s8 r0, q2, q3", 1 + 1),  # they overlap
        ("vldrb.u8 q0, [r1]; vmladava.s8 r0, q2, q3; vldrb.u8 q1, [r2]; vmladava.s8 r4, q2, q3", 4),
        ("vldrb.u8 q0, [r1]; vadd.i32 q1, q2, q3; vmul.i32 q4, q2, q3; vstrw.32 q5, [r2]", 4),
        ("vldrb.u8 q0, [r1]; movs r3, #1", 1 + 1),
        ("adds r1, r1, r2; movs r3, #1", 1),  # as on the Cortex-M33
        ("1: vldrb.u8 q0, [r1]; le lr, 1b", 1),  # the end of a low-overhead loop is free
        # The first beat of what needs a result follows its first beat.
        ("vldrb.u8 q0, [r1]; vadd.i8 q1, q0, q0; vmul.i8 q2, q1, q1", 1 + 1 + 1),
        ("vmul.i8 q0, q1, q1; vadd.i8 q1, q0, q0", 1 + 2),  # a product takes two clocks
        ("vmul.i8 q0, q1, q1; vstrb.8 q0, [r1]", 1 + 1),  # but is stored a clock later
        ("vqshrnb.s16 q0, q1, #3; vstrb.8 q0, [r1]", 1 + 3),  # narrowed vectors are not
        ("vadd.f32 q0, q1, q1; vabs.s32 q2, q0", 1 + 1),
        ("vadd.f32 q0, q1, r1; vabs.s32 q2, q0", 1 + 2),
        ("vmladava.s8 r0, q1, q2; vmladava.s8 r0, q3, q2", 1 + 2),  # the pipe and the sum
        ("vmladava.s8 r0, q1, q2; add.w r0, r0, r1", 1 + 2),  # a sum is a clock late
        ("vmaxv.s32 r0, q1; add.w r0, r0, r1", 1 + 2),
        ("vmaxv.s8 r0, q1; add.w r0, r0, r1", 1 + 4),  # more lanes take longer
        ("vldrb.u8 q0, [r1], #16; vadd.i8 q1, q2, q3; vldrb.u8 q3, [r1]", 1 + 1 + 1),
        ("vddup.u8 q0, r0, #1; vldrb.u8 q1, [r1, q0]", 1 + 5),  # offsets are needed early
        ("vdup.8 q0, r0; vldrb.u8 q1, [r1, q2]; vadd.i8 q3, q1, q1", 1 + 1 + 2),
        ("vmov q0[2], q0[0], r1, r2; vmov q1[2], q1[0], r1, r2", 1 + 1),  # either pipe
        ("vmov q0[2], q0[0], r1, r2; vmov q1[2], q1[0], r1, r2; vadd.i8 q2, q3, q3", 3),
        ("vctp.8 r0; vpst; vldrbt.u8 q0, [r1]", 1 + 1 + 1),
        ("mla r0, r1, r2, r0; mla r0, r1, r2, r0", 1 + 2),  # sums are not passed on
        ("lsll r0, r1, #3; add.w r0, r0, r1", 1 + 2),
        ("vadd.f32 s0, s4, s4; vadd.i8 q1, q0, q0", 1 + 2),  # s0 is a part of q0
        ("vadd.f32 s0, s4, s4; vadd.f32 s1, s5, s5; vadd.f32 s2, s1, s1", 1 + 1 + 2),
    ],
)
def test_cortex_m55(body, expected):
    assert straight("corstone-300", body) == expected


# The rules in cortex_m85.py: stages as measured, units and vectors by LLVM's ARMScheduleM85.td.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add.w r1, r2, r2; add.w r3, r2, r2", 1),  # two ALUs
        ("adds r1, r1, r2; adds r1, r1, r2", 1),  # EX1, EX2
        ("adds r1, r1, r2; adds r1, r1, r2; adds r1, r1, r2; adds r1, r1, r2", 2),  # EX2, EX3
        ("adds r1, r1, r2; adds r1, r1, r2; adds r1, r1, r2; adds r1, r1, r2; movs r3, #1", 3),
        ("adds r1, r1, r2; ands r1, r2", 1),  # bitwise in EX2
        ("ands r1, r2; lsls r1, r1, #3", 2),  # but a shift not in EX3
        ("ands r1, r2; adds r1, r1, r2", 1),
        ("uxtb r1, r2; adds r1, r1, r2", 1),  # EX2 only, then EX3
        ("adds r1, r1, r2; adds r1, r1, r2; uxtb r1, r1", 2),
        ("uxtb r1, r2; uxtb r3, r2", 2),
        ("bfi r1, r2, #3, #3; uxtb r3, r2", 2),
        ("bfi r1, r2, #3, #3; orr.w r3, r2, r2", 1),  # two shifters
        ("cmp r1, #3; it eq; moveq r2, #1", 1),  # flags from EX2 in EX3
        ("ands r3, r2; adds r3, r3, #1; it eq; moveq r2, #1", 2),  # from EX3 in the next clock
        ("nop; adds r1, r1, r2", 1),
        ("ldr.w r1, [r0]; ldr.w r2, [r0, #4]", 1),  # two loads
        ("str r1, [r0]; str r2, [r0, #4]", 1),  # two stores
        ("mul r1, r2, r2; mul r3, r2, r2", 2),  # one multiplier
        ("ldr.w r1, [r0]; adds r2, r1, r1", 1),  # in EX3
        ("ldr.w r1, [r0]; add.w r2, r1, r1", 2),  # through the shifter
        ("ldr r1, [r0]; ldr r2, [r1]", 3),  # an address in EX1
        ("ldrb r1, [r0]; adds r2, r1, r1", 2),  # a byte is a clock late
        ("ldrb r1, [r0]; add.w r2, r1, r1", 3),
        ("add.w r1, r0, #4; ldr.w r2, [r1]", 2),  # from EX1 to EX1
        ("ands r0, r1; ldr.w r2, [r0]", 3),  # from EX2
        ("ldr r1, [r0], #4; ldr r2, [r0]", 2),  # but not what a load has written back
        ("add.w r1, r2, r2; add.w r3, r2, r1, lsl #2", 2),  # shifted in EX2, added in EX3
        ("smlad r1, r2, r2, r1; smlad r1, r2, r2, r1", 1 + 1),  # sums are needed late
        ("mul r1, r2, r2; add.w r3, r1, r1", 1 + 2),
        ("sxtb16 r1, r2; sxtb16 r3, r2", 2),  # one SIMD unit
        ("add.w r1, r2, r2; vldrb.u8 q0, [r3]", 1),  # a scalar in front of a vector
        ("uxtb r1, r2; vldrb.u8 q0, [r3]", 2),  # but not one that is executed in EX2 only
        ("vldrb.u8 q0, [r3]; add.w r1, r2, r2", 1 + 2),  # none in its second clock
        ("vldrb.u8 q0, [r3]; veor q1, q2, q3; add.w r1, r2, r2", 1 + 1 + 1),
        ("vldrw.u32 q0, [r1, q2]; vadd.i8 q3, q4, q4", 2 + 1),  # two elements a clock
        ("vldrb.u8 q0, [r1, q2]; vldrh.u16 q0, [r1, q2]; vldrb.u32 q0, [r1, q2]", 8 + 4 + 2),
        ("vstrd.64 q0, [r1, q2]; vstrw.32 q0, [q2, #16]", 2 + 2),
        ("vand q2, q3, q3; vldrw.u32 q0, [r1, q2]", 3 + 2),  # offsets are needed early
        ("vldrb.u8 q0, [r1]; vldrb.u8 q1, [r2]", 1 + 2),
        ("vldrb.u8 q0, [r1]; vmladava.s8 r0, q0, q3", 1 + 1),
        ("vmladava.s8 r0, q1, q2; vmladava.s8 r0, q3, q2", 1 + 2),  # 4, less 2 for sums
        ("vmladav.s8 r0, q1, q2; add.w r1, r0, r0", 1 + 4),
        ("vmul.i8 q0, q1, q1; vadd.i8 q1, q0, q0", 1 + 2),
        ("vmul.i8 q0, q1, q1; vstrb.8 q0, [r1]", 1 + 1),  # vectors are stored two clocks late
        ("vand q0, q1, q2; vorr q3, q1, q2", 1 + 1),  # they take no pipe, but the ports
        ("vmul.f32 q0, q1, q1; vadd.f32 q2, q0, q0", 1 + 3),
        ("vfma.f32 q0, q1, q1; vfma.f32 q0, q1, q1", 1 + 2),  # 4, less 2 for sums
        ("add.w r1, r2, r2; vdup.8 q0, r1", 1),  # a core register is needed a clock late
        ("csel r1, r2, r3, eq; add.w r1, r1, r1", 1 + 2),
        ("movs r1, #3; udiv r2, r0, r1", 1 + 7),
        ("vadd.f32 s0, s4, s4; vadd.f32 s1, s0, s0", 1 + 2),
        ("movs r1, #3; vadd.f32 s1, s0, s0", 1),
        ("movs r1, #3; vadd.f64 d1, d0, d0", 1 + 1),  # double precision starts alone
        ("1: vldrb.u8 q0, [r1]; le lr, 1b", 1),
    ],
)
def test_cortex_m85(body, expected):
    assert straight("ek-ra8d1", body) == expected


# A jump starts before its flags; what a misprediction costs depends on when they come.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1: subs r1, #1; bne 1b", (1, 0, 6)),  # EX2, the same clock
        ("1: subs r1, #1; nop; nop; bne 1b", (2, 0, 4)),
        ("1: ands r2, r3; adds r2, r2, #1; bne 1b", (2, 0, 6)),  # EX3, the clock before
        ("1: movs r2, #1; cbnz r1, 2f; nop; 2: nop", (1, 0, 4)),
        ("1: b 1b", (1, 0, 0)),
        ("bx lr", (1, 3, 0)),
        ("1: le lr, 1b", (0, 0, 0)),
    ],
)
def test_jumps_of_cortex_m85(body, expected):
    found = jump("ek-ra8d1", body)
    assert (found.straight, found.taken, found.mispredicted) == expected


def test_a_predictor_says_what_a_jump_does_more_often():
    loop = "movs r1, #10; 1: subs r1, #1; bne 1b; bx lr"
    firmware = read_firmware(
        compile_firmware({"f.S": THUMB.format(body=loop.replace(";", "\n"))},
                         board("ek-ra8d1"), entry_symbols=["f"])
    )  # fmt: skip
    start = firmware.symbols["f"].address + 2
    core = board("ek-ra8d1").core
    mostly = Block(0, start, 4, 2, executions=100, taken=90)
    seldom = Block(0, start, 4, 2, executions=100, taken=10)
    assert table_cycles(mostly, firmware, core) == 100 * 1 + 10 * 6
    assert table_cycles(seldom, firmware, core) == 100 * 1 + 10 * 6


# LLVM's model of the M55 has a refill of 3.
def test_jumps_of_cortex_m55():
    assert jump("corstone-300", "1: subs r1, #1; bne 1b").taken == 3
    assert jump("corstone-300", "1: le lr, 1b").taken == 0


# RP2350 datasheet, 3.8.8.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("lw a1, 0(a0); nop; add a1, a1, a1", 3),
        ("lw a1, 0(a0); add a1, a1, a1", 3),
        ("lw a1, 0(a0); sw a1, 4(a0)", 2),  # a loaded word may be stored at once
        ("sw a0, 0(a0); lw a1, 0(a0); lw a2, 0(a1)", 4),  # as an address it may not
        ("mul a1, a2, a3; add a1, a1, a1; mulhu a1, a2, a3", 3),
        ("li a1, 3; divu a2, a0, a1", 1 + 18),
        ("j 1f; nop; 1: nop", 2 + 1),
    ],
)
def test_hazard3(body, expected):
    assert cycles("raspberry-pi-pico-2-riscv", f"{body}; ret") == expected + 2


def test_hazard3_predicts_loops():
    body = "li a1, 10; 1: addi a1, a1, -1; bnez a1, 1b; ret"
    assert cycles("raspberry-pi-pico-2-riscv", body) == 1 + 10 * 2 + 2


def test_riscv_waits_for_a_load_that_is_used_at_once():
    used = cycles("esp32-c3", "lw a1, 0(a0); add a1, a1, a1; nop; ret")
    later = cycles("esp32-c3", "lw a1, 0(a0); nop; add a1, a1, a1; ret")
    assert (used, later) == (4 + 1 + 2, 4 + 2)  # RET adds 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("adds r1, r1, r2; ldr r1, [r0]", 1 + 2),
        ("push {r4, r5}; pop {r4, r5}", 3 + 3),
        ("dmb", 4),
    ],
)
def test_cortex_m0(body, expected):
    """Cortex-M0 TRM (DDI 0432), 3.3; BX takes 3."""
    assert cycles("nucleo-f091rc", f"{body}; bx lr") == expected + 3


# Measured on an ESP32-C3 (see rv32.py); RET is taken to take three clocks.
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("j 1f; nop; 1: nop", 2 + 1),
        ("beqz zero, 1f; nop; 1: nop", 3 + 1),
        ("bnez zero, 1f; nop; 1: nop", 1 + 1 + 1),
        ("li a1, 10; 1: addi a1, a1, -1; bnez a1, 1b", 1 + 10 + 9 * 3 + 1),
        ("sw a0, 0(a0); lw a1, 0(a0); lw a2, 4(a0)", 1 + 1 + 1),
        ("mulhu a1, a2, a3; add a1, a1, a1", 1 + 1),
    ],
)
def test_esp32_c3(body, expected):
    assert cycles("esp32-c3", f"{body}; ret") == expected + 3


# Measured on an ESP32-C6 (see esp32_c6.py).
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("j 1f; nop; 1: nop", 2 + 1),
        ("beqz zero, 1f; nop; 1: nop", 3 + 1),
        ("bnez zero, 1f; nop; 1: nop", 1 + 1 + 1),
        ("li a1, 10; 1: addi a1, a1, -1; bnez a1, 1b", 1 + 10 + 9 * 1 + 3),
        ("mul a1, a2, a3; mulhu a1, a2, a3; add a1, a1, a1", 1 + 2 + 1),
        ("li a1, 3; divu a2, a0, a1", 1 + 10),
    ],
)
def test_esp32_c6(body, expected):
    assert cycles("esp32-c6-devkitc-1", f"{body}; ret") == expected + 3


# Measured on a CH32V003 without wait states (see qingke_v2.py).
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("sw a0, 0(a0); lw a1, 0(a0); add a1, a1, a1", 2 + 2 + 1),
        ("j 1f; nop; 1: nop", 3 + 1),
        ("li a1, 10; 1: addi a1, a1, -1; bnez a1, 1b", 1 + 10 + 9 * 3 + 1),
    ],
)
def test_qingke_v2(body, expected):
    assert cycles("ch32v003", f"{body}; ret") == expected + 3


def test_every_board_has_clocks_that_exist():
    for name in {each.core.cycle_model for each in boards()} - {"", "simavr"}:
        assert callable(cycle_model(name))
