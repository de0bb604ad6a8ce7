"""Instructions of Armv8.1-M, made by the assembler and taken apart again."""

import pytest

from smidgen.emulate.linked.disassembly import disassemble
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.emulate.linked.vectors import decode, predicated_by
from smidgen.targets.catalogue import board
from smidgen.targets.toolchain import compile_firmware

ON = "corstone-300"
TEXT = """
.syntax unified
.text
.global f
.type f, %function
.thumb_func
f:
{body}
.size f, . - f
"""


def taken_apart(body: str):
    text = TEXT.format(body=body.replace(";", "\n"))
    firmware = read_firmware(compile_firmware({"f.S": text}, board(ON), entry_symbols=["f"]))
    found = firmware.symbols["f"]
    code = firmware.code_bytes(found.address, found.bytes)
    return list(disassemble(board(ON).core, code, found.address))


# What is written and read, "a" for both in what accumulates or writes its address back.
@pytest.mark.parametrize(
    ("text", "name", "writes", "reads"),
    [
        ("vldrb.u8 q3, [r1]", "vldr", "q3", "r1"),
        ("vldrh.s32 q3, [r7, #4]!", "vldr", "q3 r7", "r7"),
        ("vldrw.u32 q7, [r12], #16", "vldr", "q7 ip", "ip"),
        ("vldrb.s16 q2, [r0, q5]", "vldr_q", "q2", "r0 q5"),
        ("vldrw.u32 q0, [q6, #8]!", "vldr_q", "q0 q6", "q6"),
        ("vstrw.32 q1, [r12]", "vstr", "", "q1 ip"),
        ("vstrb.16 q4, [r3], #8", "vstr", "r3", "q4 r3"),
        ("vstrh.16 q4, [r3, q1, uxtw #1]", "vstr_q", "", "q4 r3 q1"),
        ("vld21.16 {q2, q3}, [r5]!", "vld2", "q2 q3 r5", "q2 q3 r5"),
        ("vst43.8 {q1, q2, q3, q4}, [r5]", "vst4", "", "q1 q2 q3 q4 r5"),
        ("vadd.i8 q1, q2, q3", "vadd", "q1", "q2 q3"),
        ("vadd.f32 q1, q2, q3", "vadd.f", "q1", "q2 q3"),
        ("vadd.i32 q1, q2, r9", "vadd", "q1", "q2 sb"),
        ("vadd.f16 q1, q2, lr", "vadd.f", "q1", "q2 lr"),
        ("vmul.i16 q7, q6, q5", "vmul", "q7", "q6 q5"),
        ("vmullt.s8 q0, q1, q2", "vmull", "q0", "q1 q2"),
        ("vmullb.p16 q0, q1, q2", "vmullp", "q0", "q1 q2"),
        ("vqrdmulh.s32 q0, q1, q2", "vqrdmulh", "q0", "q1 q2"),
        ("vmla.s8 q0, q1, r2", "vmla", "q0", "q0 q1 r2"),
        ("vfma.f32 q0, q1, q2", "vfma", "q0", "q0 q1 q2"),
        ("vfmas.f32 q0, q1, r3", "vfma", "q0", "q0 q1 r3"),
        ("vmladav.s8 r0, q1, q2", "vmladav", "r0", "q1 q2"),
        ("vmladava.s8 lr, q1, q2", "vmladava", "lr", "lr q1 q2"),
        ("vmlaldavax.s16 r4, r7, q1, q2", "vmlaldava", "r4 r7", "r4 r7 q1 q2"),
        ("vrmlaldavh.s32 r2, r3, q1, q2", "vrmlaldavh", "r2 r3", "q1 q2"),
        ("vaddva.u8 r2, q1", "vaddva", "r2", "r2 q1"),
        ("vaddlv.s32 r2, r3, q1", "vaddlv", "r2 r3", "q1"),
        ("vmaxv.s16 r1, q2", "vmaxv16", "r1", "r1 q2"),
        ("vabav.u8 r1, q2, q3", "vabav", "r1", "r1 q2 q3"),
        ("vdup.16 q3, r11", "vdup", "q3", "fp"),
        ("viwdup.u8 q1, r2, r5, #4", "viwdup", "q1 r2", "r2 r5"),
        ("vmov.8 q2[5], r3", "vmov_r_lane", "q2", "q2 r3"),
        ("vmov.s8 r3, q2[5]", "vmov_lane_r", "r3", "q2"),
        ("vmov r1, r2, q5[2], q5[0]", "vmov_lane_r", "r1 r2", "q5"),
        ("vmov q5[3], q5[1], r1, r2", "vmov_r_lane", "q5", "q5 r1 r2"),
        ("vmov.i32 q1, #7", "vmov", "q1", ""),
        ("vorr.i32 q1, #7", "vorr", "q1", "q1"),
        ("vmvn.i16 q1, #7", "vmvn", "q1", ""),
        ("vshr.s32 q1, q2, #3", "vshr", "q1", "q2"),
        ("vmovlb.s8 q1, q2", "vmovl", "q1", "q2"),
        ("vshllt.u8 q1, q2, #8", "vshll", "q1", "q2"),
        ("vqmovnt.s32 q1, q2", "vqmovn", "q1", "q1 q2"),
        ("vqrshrnb.s16 q1, q2, #3", "vqrshrn", "q1", "q1 q2"),
        ("vrshl.s32 q1, q2, q3", "vrshl", "q1", "q2 q3"),
        ("vrshl.s32 q1, r2", "vrshl", "q1", "q1 r2"),
        ("vshlc q1, r2, #5", "vshlc", "q1 r2", "q1 r2"),
        ("vadc.i32 q1, q2, q3", "vadc", "q1 carry", "q2 q3 carry"),
        ("vcmp.s8 gt, q1, r2", "vcmp", "vpr", "q1 r2"),
        ("vcmp.f32 gt, q1, q2", "vcmp.f", "vpr", "q1 q2"),
        ("vctp.16 r3", "vctp", "vpr", "r3"),
        ("vpsel q1, q2, q3", "vpsel", "q1", "q2 q3 vpr"),
        ("vcvt.f32.s32 q1, q2", "vcvt", "q1", "q2"),
        ("vcvtt.f16.f32 q1, q2", "vcvt_narrow", "q1", "q1 q2"),
        ("vcvtt.f32.f16 q1, q2", "vcvt", "q1", "q2"),
        ("lsll r2, r3, #5", "lsll", "r2 r3", "r2 r3"),
        ("sqrshrl r2, r3, #64, r6", "sqrshrl", "r2 r3", "r2 r3 r6"),
        ("csinc r1, r2, r3, eq", "csel", "r1", "r2 r3 cpsr"),
        ("dlstp.8 lr, r5", "dlstp", "lr", "r5"),
        ("1: letp lr, 1b", "letp", "lr", "lr"),
        ("1: le lr, 1b", "le", "lr", "lr"),
    ],
)
def test_registers(text, name, writes, reads):
    (found,) = taken_apart(text)
    assert found.name == name
    assert found.writes == set(writes.split())
    assert found.reads == set(reads.split())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("vpst; vaddt.i32 q0, q1, q2", 1),
        ("vpste; vaddt.i32 q0, q1, q2; vadde.i32 q0, q1, q2", 2),
        ("vptett.s8 gt, q0, q1" + "; v{}.i32 q0, q1, q2" * 4, 4),
    ],
)
def test_predicates(text, count):
    text = text.format("addt", "adde", "addt", "addt")
    assert predicated_by(taken_apart(text)[0].encoding) == count


@pytest.mark.parametrize(
    "text",
    [
        "add.w r1, r2, r3", "ldr.w r1, [r2, #4]", "ldrd r1, r2, [r3]", "vadd.f32 s0, s1, s2",
        "vldr d3, [r1]", "vldm r1!, {d0-d3}", "vpush {d8-d15}", "vmov r1, s2", "vmrs r1, p0",
        "vmov r1, r2, d3", "vcvt.f32.s32 s0, s1", "bl f", "smlad r1, r2, r3, r4", "orr r1, r2, r3",
        "vmaxnm.f32 s0, s1, s2", "vseleq.f32 s0, s1, s2", "mrs r1, control", "udf.w #1",
    ],
)  # fmt: skip
def test_what_is_older_is_left_to_the_disassembler(text):
    (found,) = taken_apart(text)
    assert decode(found.encoding) is None
