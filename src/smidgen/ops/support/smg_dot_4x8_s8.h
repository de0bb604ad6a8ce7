/* smg_dot_4x8_s8: the inner kernel of convolutions on RV32: four outputs, eight columns, eight
 * products in five multiplications.
 *
 * RV32 has no multiply-add, so that a multiplication costs two instructions, but 31 registers. For
 * each k, eight values are packed in five words modulo 2^32. Each word holds one value x0..x4 whose
 * sum takes the low 20 bits; above it lie 12 bits more, enough for the three other sums in parts:
 *
 *   word  bits 20 to 31 of the sum
 *   A     x5, bits 0 to 11
 *   B     x5, bits 12 to 19        x6, bits 0 to 3
 *   C     x6, bits 4 to 15
 *   D     x6, bits 16 to 19        x7, bits 0 to 7
 *   E     x7, bits 8 to 19
 *
 * A part that does not start at bit 0 brings the bits below it too, over those of another sum; they
 * are known from the words before, and taken off. Sums start at SMG_OCTET_BIAS, so that none is
 * negative and nothing is borrowed from the bits above. With all sums of products within -2^19 to
 * 2^19 - 1, 32 products cost 4 loads of weights, 5 words of columns and 20 multiplications and
 * additions: 49 instructions, 1.53 for each product and 1.56 with the loop.
 */
#ifndef SMG_DOT_4X8_S8_H
#define SMG_DOT_4X8_S8_H

#include "smg.h"
#include "smg_asm.h"
#include "smg_rolled.h"

/* What every sum starts at, and the words that say so. */
#define SMG_OCTET_BIAS (1 << 19)
#define SMG_OCTET_WORDS 0x80000u, 0x8080000u, 0x80000u, 0x880000u, 0x80080000u

SMG_INLINE void smg_columns_octet_step(const int8_t *const x[8], int32_t k, uint32_t *to) {
    const uint32_t x5 = (uint32_t)(int32_t)x[5][k];
    const uint32_t x6 = (uint32_t)(int32_t)x[6][k];
    const uint32_t x7 = (uint32_t)(int32_t)x[7][k];
    to[0] = (uint32_t)(int32_t)x[0][k] + (x5 << 20);
    to[1] = (uint32_t)(int32_t)x[1][k] + (x5 << 8) + (x6 << 28);
    to[2] = (uint32_t)(int32_t)x[2][k] + (x6 << 16);
    to[3] = (uint32_t)(int32_t)x[3][k] + (x6 << 4) + (x7 << 24);
    to[4] = (uint32_t)(int32_t)x[4][k] + (x7 << 12);
}

/* Packs `count` values of eight columns; returns the end of the words. The words may overwrite
 * values that were packed before. */
SMG_NOINLINE static uint32_t *smg_columns_octet(const int8_t *const columns[8], int32_t count,
                                                uint32_t *to) {
    const int8_t *x[8];
    memcpy(x, columns, sizeof x);
    SMG_ROLLED
    for (; count >= 4; count -= 4) {
        for (int32_t k = 0; k < 4; ++k) {
            smg_columns_octet_step(x, k, to + 5 * k);
        }
        for (int32_t p = 0; p < 8; ++p) {
            x[p] += 4;
        }
        to += 20;
    }
    SMG_ROLLED
    for (int32_t k = 0; k < count; ++k) {
        smg_columns_octet_step(x, k, to);
        to += 5;
    }
    return to;
}

/* smg_dot_4x8_packed: sums over `count` >= 1 k of w * A to w * E for each of four outputs, to
 * packed[20], each with its bias; weights are [k][output]. */
#if defined(__riscv_mul) && __riscv_xlen == 32 && !defined(__riscv_e) && !defined(__riscv_32e)

/* One k: all four weights in registers, one word after another. */
#define SMG_DOT_4X8_WORD(place, s0, s1, s2, s3)                                                    \
    "lw a2, 20*\\i+" place "(a1)\n"                                                                \
    "mul a3, a2, t0\n"                                                                             \
    "add " s0 ", " s0 ", a3\n"                                                                     \
    "mul a3, a2, t1\n"                                                                             \
    "add " s1 ", " s1 ", a3\n"                                                                     \
    "mul a3, a2, t2\n"                                                                             \
    "mul a2, a2, ra\n"                                                                             \
    "add " s2 ", " s2 ", a3\n"                                                                     \
    "add " s3 ", " s3 ", a2\n"
#define SMG_DOT_4X8_STEP                                                                           \
    "lb t0, 4*\\i(a0)\n"                                                                           \
    "lb t1, 4*\\i+1(a0)\n"                                                                         \
    "lb t2, 4*\\i+2(a0)\n"                                                                         \
    "lb ra, 4*\\i+3(a0)\n" SMG_DOT_4X8_WORD("0", "s0", "s5", "s10", "a7")                          \
        SMG_DOT_4X8_WORD("4", "s1", "s6", "s11", "t3")                                             \
            SMG_DOT_4X8_WORD("8", "s2", "s7", "a4", "t4")                                          \
                SMG_DOT_4X8_WORD("12", "s3", "s8", "a5", "t5")                                     \
                    SMG_DOT_4X8_WORD("16", "s4", "s9", "a6", "t6")

SMG_ASM_FUNCTION void smg_dot_4x8_packed(const int8_t *w SMG_ASM_ARGUMENT,
                                         const uint32_t *x SMG_ASM_ARGUMENT,
                                         int32_t count SMG_ASM_ARGUMENT,
                                         uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__("addi sp, sp, -64\n"
            "sw ra, 8(sp)\n"
            "sw a3, 4(sp)\n"
            /* One k at a time up to 0 to 3 of them, then four at a time up to the end. */
            "slli t0, a2, 2\n"
            "add t0, t0, a2\n"
            "slli t0, t0, 2\n"
            "add t0, t0, a1\n"
            "sw t0, 0(sp)\n"
            ".set .Lsmg_at, 12\n"
            ".irp s, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11\n"
            "sw \\s, .Lsmg_at(sp)\n"
            ".set .Lsmg_at, .Lsmg_at + 4\n"
            ".endr\n"
            /* SMG_OCTET_WORDS >> 12 */
            ".irp s, s0, s2, s5, s7, s10, a4, a7, t4\n"
            "lui \\s, 0x80\n"
            ".endr\n"
            ".irp s, s1, s6, s11, t3\n"
            "lui \\s, 0x8080\n"
            ".endr\n"
            ".irp s, s3, s8, a5, t5\n"
            "lui \\s, 0x880\n"
            ".endr\n"
            ".irp s, s4, s9, a6, t6\n"
            "lui \\s, 0x80080\n"
            ".endr\n"
            "andi a2, a2, 3\n"
            "beqz a2, 2f\n"
            "sw a2, 60(sp)\n"
            "1:\n"
            ".irp i, 0\n" SMG_DOT_4X8_STEP ".endr\n"
            "lw a2, 60(sp)\n"
            "addi a0, a0, 4\n"
            "addi a1, a1, 20\n"
            "addi a2, a2, -1\n"
            "sw a2, 60(sp)\n"
            "bnez a2, 1b\n"
            "2:\n"
            "lw a2, 0(sp)\n"
            "beq a1, a2, 4f\n"
            "3:\n"
            ".irp i, 0, 1, 2, 3\n" SMG_DOT_4X8_STEP ".endr\n"
            "lw a2, 0(sp)\n"
            "addi a0, a0, 16\n"
            "addi a1, a1, 80\n"
            "bne a1, a2, 3b\n"
            "4:\n"
            "lw a3, 4(sp)\n"
            ".set .Lsmg_at, 0\n"
            ".irp s, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, a4, a5, a6, a7, t3, t4, t5, "
            "t6\n"
            "sw \\s, .Lsmg_at(a3)\n"
            ".set .Lsmg_at, .Lsmg_at + 4\n"
            ".endr\n"
            ".set .Lsmg_at, 12\n"
            ".irp s, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11\n"
            "lw \\s, .Lsmg_at(sp)\n"
            ".set .Lsmg_at, .Lsmg_at + 4\n"
            ".endr\n"
            "lw ra, 8(sp)\n"
            "addi sp, sp, 64\n"
            "ret\n");
}

#undef SMG_DOT_4X8_STEP
#undef SMG_DOT_4X8_WORD

#else

SMG_NOINLINE static void smg_dot_4x8_packed(const int8_t *w, const uint32_t *x, int32_t count,
                                            uint32_t *packed) {
    static const uint32_t start[5] = {SMG_OCTET_WORDS};
    for (int32_t o = 0; o < 4; ++o) {
        memcpy(packed + 5 * o, start, sizeof start);
    }
    for (const uint32_t *const end = x + 5 * count; x != end; x += 5, w += 4) {
        for (int32_t o = 0; o < 4; ++o) {
            const uint32_t weight = (uint32_t)(int32_t)w[o];
            for (int32_t i = 0; i < 5; ++i) {
                packed[5 * o + i] += weight * x[i];
            }
        }
    }
}

#endif

/* The eight sums of one output, each with SMG_OCTET_BIAS. */
SMG_INLINE void smg_octet_sums(const uint32_t packed[5], uint32_t sums[8]) {
    const uint32_t mask = 0xfffffu;
    const uint32_t low5 = packed[0] >> 20;
    const uint32_t b = packed[1] - (low5 << 8);
    const uint32_t low6 = b >> 28;
    const uint32_t c = packed[2] - (low6 << 16);
    const uint32_t lower6 = low6 | c >> 20 << 4;
    const uint32_t d = packed[3] - (lower6 << 4);
    const uint32_t low7 = d >> 24;
    const uint32_t e = packed[4] - (low7 << 12);
    sums[0] = packed[0] & mask;
    sums[1] = b & mask;
    sums[2] = c & mask;
    sums[3] = d & mask;
    sums[4] = e & mask;
    sums[5] = low5 | (b >> 20 & 255u) << 12;
    sums[6] = lower6 | (d >> 20 & 15u) << 16;
    sums[7] = low7 | e >> 20 << 8;
}

#endif
