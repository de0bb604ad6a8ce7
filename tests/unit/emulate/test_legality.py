"""Instructions that a core lacks are refused before anything runs."""

from dataclasses import replace

import pytest

from smidgen.core.errors import EmulationError
from smidgen.emulate.linked.disassembly import disassemble
from smidgen.emulate.linked.legality import missing_feature
from smidgen.emulate.unicorn.machine import Machine
from smidgen.targets.catalogue import board, core
from smidgen.targets.toolchain import compile_firmware

# Encodings from the Armv7-M Architecture Reference Manual, A7.7, and the RISC-V unprivileged ISA.
SMLAD = ".inst.w 0xfb202001"
SADD16 = ".inst.w 0xfa91f002"
UXTAB16 = ".inst.w 0xfa31f082"
UDIV = ".inst.w 0xfbb0f0f1"
VADD_F32 = ".inst.w 0xee300a20"
VADD_F64 = ".inst.w 0xee310b02"
CBZ = ".inst.n 0xb100"
AMOADD = ".insn 4, 0x00b6252f"
FADD = ".insn 4, 0x00b57553"
MUL = ".insn 4, 0x02b50533"
DIVU = ".insn 4, 0x02b55533"
ADD_A6 = ".insn 4, 0x00b80533"  # add a0, a6, a1
C_MV_A0_S2 = ".insn 2, 0x854a"  # c.mv a0, s2
VLDRB_MVE = ".inst.w 0xed911f00"  # vldrw.u32 q0, [r1]
VMLADAV_MVE = ".inst.w 0xeef80f2c"
VADD_MVE = ".inst.w 0xef220844"  # vadd.i32 q0, q1, q2


def assembled(instruction: str, name: str) -> bytes:
    is_arm = board(name).core.is_arm
    kind = ".syntax unified\n.thumb_func\n" if is_arm else ""
    leave = "bx lr" if is_arm else "ret"
    text = (
        f".text\n.global f\n{kind}.type f, %function\nf:\n{instruction}\n{leave}\n.size f, . - f\n"
    )
    return compile_firmware(
        {"f.S": text}, board(name), entry_symbols=["f"], reserve_stack_bytes=1024
    )


@pytest.mark.parametrize(
    ("instruction", "name", "feature"),
    [
        (SMLAD, "nucleo-f103rb", "smlad .*dsp.*cortex-m3 lacks"),
        (SADD16, "nucleo-f103rb", "sadd16 .*dsp"),
        (UXTAB16, "nucleo-f103rb", "uxtab16 .*dsp"),
        (VADD_F32, "nucleo-f103rb", "vadd.f32 .*fpu"),
        (VADD_F64, "nucleo-l4r5zi", "vadd.f64 .*fpu-double"),
        (UDIV, "raspberry-pi-pico", "udiv .*div"),
        (CBZ, "raspberry-pi-pico", "cbz .*thumb2"),
        (AMOADD, "esp32-c3", "amoadd.w .*atomic"),
        (FADD, "esp32-c3", "fadd.s .*fpu"),
        (FADD, "gd32vf103", "fadd.s .*fpu"),
        (VADD_F32, "raspberry-pi-pico", "vadd.f32 .*fpu.*cortex-m0plus lacks"),
        (SMLAD, "raspberry-pi-pico", "smlad .*dsp"),
        (VLDRB_MVE, "nucleo-u575zi", ".*mve.*cortex-m33f lacks"),
        (VMLADAV_MVE, "nucleo-h743zi", ".*mve.*cortex-m7f lacks"),
        (VADD_MVE, "nucleo-l4r5zi", ".*(mve|neon)"),
        (MUL, "ch32v003", "mul .*div.*rv32ec lacks"),
        (DIVU, "ch32v003", "divu .*div"),
        (ADD_A6, "ch32v003", "add a0, a6, a1.*registers x16 to x31"),
        (C_MV_A0_S2, "ch32v003", "c.mv a0, s2.*registers x16 to x31"),
    ],
)
def test_an_instruction_that_the_core_lacks_is_refused(instruction, name, feature):
    with pytest.raises(EmulationError, match=rf"f at 0x\w+: the instruction '{feature}"):
        Machine(assembled(instruction, name), board(name))


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        (SMLAD, "nucleo-l4r5zi"),
        (VADD_F32, "nucleo-u575zi"),
        (VADD_F64, "nucleo-h743zi"),
        (UDIV, "nucleo-f103rb"),
        (AMOADD, "gd32vf103"),
        (MUL, "esp32-c3"),
        (ADD_A6, "gd32vf103"),
        (C_MV_A0_S2, "esp32-c3"),
        (FADD, "ch32v307-evt"),
    ],
)
def test_an_instruction_that_the_core_has_is_not(instruction, name):
    assert Machine(assembled(instruction, name), board(name)).symbol("f")[1] >= 4


def test_long_multiplication_is_no_dsp_instruction():
    # SMULL r0, r1, r2, r3 and SMLAL r0, r1, r2, r3
    code = bytes.fromhex("82fb0301c2fb0301")
    found = list(disassemble(core("cortex-m3"), code, 0))
    assert [each.name for each in found] == ["smull", "smlal"]
    assert [missing_feature(each, core("cortex-m3")) for each in found] == [None, None]


def test_code_that_no_disassembler_knows_is_stepped_over():
    # A hole in the encoding of Thumb between two times MOVS r0, #1.
    found = list(disassemble(core("cortex-m3"), bytes.fromhex("0120ffffffff0120"), 0x100))
    assert [(each.address, each.name) for each in found] == [
        (0x100, "mov"),
        (0x102, "?"),
        (0x106, "mov"),
    ]


def test_compressed_code_needs_the_extension():
    plain = replace(core("rv32imac"), features=core("rv32imac").features - {"compressed"})
    (found,) = disassemble(plain, bytes.fromhex("2e85"), 0)  # c.mv a0, a1
    assert missing_feature(found, plain) == "compressed"
    assert missing_feature(found, core("rv32imac")) is None
