"""Modelled clocks of short sequences on the cores of Linux boards, counted by hand from the rules
that each model's file names."""

from __future__ import annotations

import io

import pytest
from elftools.elf.elffile import ELFFile

from smidgen.emulate.linked.disassembly import disassemble
from smidgen.emulate.timing.models import cycle_model
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_object


def straight(name: str, body: str) -> float:
    """The clocks of a block, by the table of the board's core; nothing runs."""
    core = board(name).core
    made = compile_object({"f.S": body.replace(";", "\n") + "\n"}, "f.S", core)
    section = ELFFile(io.BytesIO(made)).get_section_by_name(".text")
    return cycle_model(core.cycle_model)(tuple(disassemble(core, section.data(), 0))).straight


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add x1, x2, x3; add x4, x5, x6", 1),  # two at once
        ("add x1, x2, x3; add x4, x1, x6", 2),
        ("mul x1, x2, x3; mul x4, x5, x6", 2),  # one unit for products
        ("mul w1, w2, w3; add w4, w1, w5", 3),
        ("ldr x1, [x0]; add x2, x1, x1", 4),
        ("ldr x1, [x0]; ldr x2, [x0, #8]", 2),
        ("add x0, x0, #8; ldr x1, [x0]", 3),  # an address is needed early
        ("add v0.4s, v1.4s, v2.4s; add v3.4s, v4.4s, v5.4s", 3),  # 64 bits at a time
        ("add v0.2s, v1.2s, v2.2s; add v3.2s, v4.2s, v5.2s", 2),
    ],
)
def test_cortex_a53(body: str, expected: int) -> None:
    assert straight("raspberry-pi-3", body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add x1, x2, x3; add x4, x5, x6; add x7, x8, x9; add x10, x11, x12", 2),  # units: 4 / 2
        ("ldr x1, [x0]; add x2, x3, x4; cmp x5, #1", 1),  # width: 3 / 3
        ("mul v0.4s, v1.4s, v2.4s; mul v3.4s, v4.4s, v5.4s", 4),  # two clocks each
        ("smull v0.4s, v1.4h, v2.4h; smull v3.4s, v4.4h, v5.4h", 2),
        ("mla v0.2s, v1.2s, v2.2s", 2),  # round to round by the sum
        ("mul v0.2s, v0.2s, v2.2s", 5),  # round to round by the factor
        ("ldr q1, [x0], #16; ldr q2, [x0], #16", 2),  # one unit to load
        ("ld4 {v0.4s, v1.4s, v2.4s, v3.4s}, [x1]", 4),
        ("dup v0.4s, w1; dup v2.4s, w3", 2),  # through the load unit
        ("mov b20, v29.b[0]; mov b21, v29.b[1]; mov b22, v29.b[2]", 3),
    ],
)
def test_cortex_a72(body: str, expected: int) -> None:
    assert straight("raspberry-pi-4", body) == expected


def test_cortex_a76_is_wider() -> None:
    adds = "; ".join(f"add x{n}, x{n + 1}, x{n + 2}" for n in range(0, 12, 3))
    assert straight("raspberry-pi-5", adds) == pytest.approx(4 / 3)
    assert straight("raspberry-pi-5", "ldr x1, [x0]; ldr x2, [x3]; cmp x4, #1; nop") == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("; ".join(f"sdot v{n}.4s, v30.16b, v31.4b[1]" for n in range(8)), 4),  # two units
        ("sdot v0.4s, v1.16b, v2.16b; sdot v0.4s, v3.16b, v4.16b", 4),  # round to round by the sum
        ("sdot v0.4s, v1.16b, v2.16b; ldr q1, [x0]; ldr q2, [x1]", 2),
    ],
)
def test_dot_products_of_the_cortex_a76(body: str, expected: int) -> None:
    assert straight("raspberry-pi-5", body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add r1, r2, r3; add r4, r5, r6", 2),
        ("ldr r1, [r0]; add r2, r1, r1", 1 + 3),
        ("ldr r1, [r0]; add r2, r3, r3; add r4, r3, r3; add r2, r1, r1", 4),
        ("add r0, r0, #4; ldr r1, [r0]", 1 + 2),  # an address is needed a clock early
        ("mul r1, r2, r3; add r4, r1, r1", 4 + 1),
        ("mul r1, r2, r3; add r4, r5, r5", 2 + 1),
        ("smlabb r1, r2, r3, r1; smlabb r1, r4, r5, r1", 1 + 2),  # a sum is needed a clock late
        ("smull r1, r2, r3, r4; add r5, r6, r6", 3 + 1),
        ("mov r1, r2, lsl r3; add r5, r6, r6", 2 + 1),
        ("ldm r0, {r1, r2, r3, r4}; add r5, r6, r6", 2 + 1),
    ],
)
def test_arm1176(body: str, expected: int) -> None:
    assert straight("raspberry-pi-zero", ".arm; " + body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("add a0, a1, a2; add a3, a4, a5", 2),
        ("lw a0, 0(a1); add a2, a0, a0", 1 + 2),
        ("lb a0, 0(a1); add a2, a0, a0", 1 + 3),
        ("mul a0, a1, a2; add a3, a0, a0", 1 + 3),
        ("mul a0, a1, a2; add a3, a4, a4; add a5, a4, a4; add a3, a0, a0", 4),
        ("fmadd.s fa0, fa1, fa2, fa3; fadd.s fa4, fa0, fa0", 1 + 5),
    ],
)
def test_rocket(body: str, expected: int) -> None:
    assert straight("k210", body) == expected
