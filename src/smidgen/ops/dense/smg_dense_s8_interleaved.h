/* smg_dense_s8_interleaved: fully connected layer of one row on int8 for cores without SIMD.
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * Each weight is used once, so that unpacking it must cost next to nothing. A word W holds those of
 * four outputs for one input, as bytes w + 128. Three sums modulo 2^32 are kept for the four:
 *
 *   P = sum W * x                        = S0 + 2^8 S1 + 2^16 S2 + 2^24 S3
 *   Q = sum (W >> 8 & 0xff00ff) * x      = S1 + 2^16 S3
 *   R = sum (W >> 16) * x                = S2 + 2^8 S3
 *
 * with multiples of sum x for the 128s, which are taken off. P - 2^8 Q is S0 + 2^16 S2. So the low
 * 16 bits of S0 and of S1 are known, and those of S2 and S3 but for the high bits of S0 and S1.
 * R then leaves four numbers of 8 bits side by side: what lies above in each of the sums. With all
 * |S| < 2^22 they do not overflow. Four products cost three multiplications with addition, three
 * unpackings and a load: on ARMv7-M 12 instructions for eight products and 1.56 for each with the
 * loop, on ARMv6-M 2.97, on RV32 2.72. One product in each multiplication would need 2.13, 3.25 and
 * 3.13 at least.
 *
 * Exact: equals the reference of Dense bit for bit, for weights and scaling that
 * ops/dense/interleaved.py packed. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_DENSE_S8_INTERLEAVED_H
#define SMG_DENSE_S8_INTERLEAVED_H

#include "smg_asm.h"
#include "smg_scale.h"

#define SMG_DENSE_SEGMENTS 16

typedef struct {
    int32_t inputs, outputs;
    int32_t segment; /* inputs that are summed at a time; at most SMG_DENSE_SEGMENTS of them */
    smg_scale_t scale;
    const int32_t *weights; /* [outputs / 8][inputs][2]; a last block of up to 4: [inputs][1] */
    const int32_t *words;   /* the scaling of each output */
} smg_dense_s8_interleaved_t;

SMG_INLINE uint32_t smg_dense_s8_total(const int8_t *x, int32_t count) {
    int32_t total = 0;
    SMG_ROLLED
    for (int32_t i = 0; i < count; ++i) {
        total += x[i];
    }
    return (uint32_t)total;
}

/* smg_dense_s8_packed8: P, Q and R over `count` >= 1 inputs for each of two words of weights.
 * smg_dense_s8_packed4: the same for one word, and the sum of the inputs behind. */
#if defined(__thumb2__)

#define SMG_DENSE_WORD(w, p, q, r)                                                                 \
    "mla " p ", " w ", lr, " p "\n"                                                                \
    "and.w r10, r11, " w ", lsr #8\n"                                                              \
    "mla " q ", r10, lr, " q "\n"                                                                  \
    "lsr.w " w ", " w ", #16\n"                                                                    \
    "mla " r ", " w ", lr, " r "\n"
/* A loop of 4 steps of `bytes` bytes, entered where the odd ones remain. */
#define SMG_DENSE_FUNCTION(offset_of_skipped, step, last)                                          \
    ".syntax unified\n"                                                                            \
    "push {r3-r11, lr}\n"                                                                          \
    "rsb r3, r2, #0\n"                                                                             \
    "and r3, r3, #3\n" offset_of_skipped "adr.w r12, 1f\n"                                         \
    "add r12, r12, r3\n"                                                                           \
    "add r12, r12, #1\n"                                                                           \
    "add r2, r2, r1\n"                                                                             \
    "mov.w r11, #0x00ff00ff\n"                                                                     \
    "movs r4, #0\n"                                                                                \
    "movs r5, #0\n"                                                                                \
    "movs r6, #0\n"                                                                                \
    "movs r7, #0\n"                                                                                \
    "mov r8, r4\n"                                                                                 \
    "mov r9, r4\n"                                                                                 \
    "bx r12\n"                                                                                     \
    ".p2align 2\n"                                                                                 \
    "1:\n"                                                                                         \
    ".rept 4\n"                                                                                    \
    "ldrsb lr, [r1], #1\n" step ".endr\n"                                                          \
    "cmp r1, r2\n"                                                                                 \
    "bne 1b\n"                                                                                     \
    "pop {r3}\n"                                                                                   \
    "stm r3, {r4-" last "}\n"                                                                      \
    "pop {r4-r11, pc}\n"

SMG_ASM_FUNCTION void smg_dense_s8_packed8(const int32_t *w SMG_ASM_ARGUMENT,
                                           const int8_t *x SMG_ASM_ARGUMENT,
                                           int32_t count SMG_ASM_ARGUMENT,
                                           uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(SMG_DENSE_FUNCTION("add r3, r3, r3, lsl #1\n"
                               "lsl r3, r3, #4\n", /* 48 bytes */
                               "ldrd r3, r12, [r0], #8\n" SMG_DENSE_WORD("r3", "r4", "r5", "r6")
                                   SMG_DENSE_WORD("r12", "r7", "r8", "r9"),
                               "r9"));
}

SMG_ASM_FUNCTION void smg_dense_s8_packed4(const int32_t *w SMG_ASM_ARGUMENT,
                                           const int8_t *x SMG_ASM_ARGUMENT,
                                           int32_t count SMG_ASM_ARGUMENT,
                                           uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(SMG_DENSE_FUNCTION("lsl r3, r3, #5\n", /* 32 bytes */
                               "add.w r7, r7, lr\n"
                               "ldr r3, [r0], #4\n" SMG_DENSE_WORD("r3", "r4", "r5", "r6"),
                               "r7"));
}

#undef SMG_DENSE_FUNCTION
#undef SMG_DENSE_WORD

#elif defined(__thumb__)

#define SMG_DENSE_WORD(w, p, q, r)                                                                 \
    "movs r4, " w "\n"                                                                             \
    "muls r4, r5, r4\n"                                                                            \
    "add " p ", r4\n"                                                                              \
    "lsrs r4, " w ", #8\n"                                                                         \
    "ands r4, r6\n"                                                                                \
    "muls r4, r5, r4\n"                                                                            \
    "add " q ", r4\n"                                                                              \
    "lsrs " w ", " w ", #16\n"                                                                     \
    "muls " w ", r5, " w "\n"                                                                      \
    "add " r ", " w "\n"
/* Four inputs at a time, then those that remain. */
#define SMG_DENSE_FUNCTION(step, store)                                                            \
    ".syntax unified\n"                                                                            \
    "push {r4-r7, lr}\n"                                                                           \
    "mov r4, r8\n"                                                                                 \
    "mov r5, r9\n"                                                                                 \
    "mov r6, r10\n"                                                                                \
    "mov r7, r11\n"                                                                                \
    "push {r3-r7}\n"                                                                               \
    "adds r7, r1, r2\n"                                                                            \
    "movs r6, #255\n"                                                                              \
    "lsls r4, r6, #16\n"                                                                           \
    "orrs r6, r4\n"                                                                                \
    "movs r4, #0\n"                                                                                \
    "mov r8, r4\n"                                                                                 \
    "mov r9, r4\n"                                                                                 \
    "mov r10, r4\n"                                                                                \
    "mov r11, r4\n"                                                                                \
    "mov r12, r4\n"                                                                                \
    "mov lr, r4\n"                                                                                 \
    "b 2f\n"                                                                                       \
    "1:\n"                                                                                         \
    ".irp k, 0, 1, 2, 3\n"                                                                         \
    "ldrb r5, [r1, #\\k]\n"                                                                        \
    "sxtb r5, r5\n" step ".endr\n"                                                                 \
    "adds r1, #4\n"                                                                                \
    "2:\n"                                                                                         \
    "subs r4, r7, r1\n"                                                                            \
    "cmp r4, #4\n"                                                                                 \
    "bge 1b\n"                                                                                     \
    "cmp r4, #0\n"                                                                                 \
    "beq 4f\n"                                                                                     \
    "3:\n"                                                                                         \
    "ldrb r5, [r1]\n"                                                                              \
    "sxtb r5, r5\n" step "adds r1, #1\n"                                                           \
    "cmp r1, r7\n"                                                                                 \
    "bne 3b\n"                                                                                     \
    "4:\n"                                                                                         \
    "ldr r4, [sp]\n"                                                                               \
    "mov r0, r8\n"                                                                                 \
    "mov r1, r9\n"                                                                                 \
    "mov r2, r10\n" store "pop {r3-r7}\n"                                                          \
    "mov r8, r4\n"                                                                                 \
    "mov r9, r5\n"                                                                                 \
    "mov r10, r6\n"                                                                                \
    "mov r11, r7\n"                                                                                \
    "pop {r4-r7, pc}\n"

SMG_ASM_FUNCTION void smg_dense_s8_packed8(const int32_t *w SMG_ASM_ARGUMENT,
                                           const int8_t *x SMG_ASM_ARGUMENT,
                                           int32_t count SMG_ASM_ARGUMENT,
                                           uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(SMG_DENSE_FUNCTION("ldm r0!, {r2, r3}\n" SMG_DENSE_WORD("r2", "r8", "r9", "r10")
                                   SMG_DENSE_WORD("r3", "r11", "r12", "lr"),
                               "mov r3, r11\n"
                               "mov r5, r12\n"
                               "mov r6, lr\n"
                               "stm r4!, {r0, r1, r2, r3, r5, r6}\n"));
}

SMG_ASM_FUNCTION void smg_dense_s8_packed4(const int32_t *w SMG_ASM_ARGUMENT,
                                           const int8_t *x SMG_ASM_ARGUMENT,
                                           int32_t count SMG_ASM_ARGUMENT,
                                           uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(SMG_DENSE_FUNCTION("add r11, r5\n"
                               "ldm r0!, {r2}\n" SMG_DENSE_WORD("r2", "r8", "r9", "r10"),
                               "mov r3, r11\n"
                               "stm r4!, {r0, r1, r2, r3}\n"));
}

#undef SMG_DENSE_FUNCTION
#undef SMG_DENSE_WORD

#elif defined(__riscv_mul) && __riscv_xlen == 32 && !defined(__riscv_e) && !defined(__riscv_32e)

#define SMG_DENSE_WORD(w, p, q, r)                                                                 \
    "mul a4, " w ", t2\n"                                                                          \
    "add " p ", " p ", a4\n"                                                                       \
    "srli a4, " w ", 8\n"                                                                          \
    "and a4, a4, a6\n"                                                                             \
    "mul a4, a4, t2\n"                                                                             \
    "srli " w ", " w ", 16\n"                                                                      \
    "add " q ", " q ", a4\n"                                                                       \
    "mul " w ", " w ", t2\n"                                                                       \
    "add " r ", " r ", " w "\n"
/* One input at a time up to 0 to 3 of them, then four at a time up to the end. */
#define SMG_DENSE_FUNCTION(bytes, step, store)                                                     \
    "add a7, a1, a2\n"                                                                             \
    "andi a2, a2, 3\n"                                                                             \
    "add a2, a1, a2\n"                                                                             \
    "li a6, 0x00ff00ff\n"                                                                          \
    ".irp sum, a5, t3, t4, t5, t6, t0\n"                                                           \
    "li \\sum, 0\n"                                                                                \
    ".endr\n"                                                                                      \
    "beq a1, a2, 2f\n"                                                                             \
    "1:\n"                                                                                         \
    ".irp k, 0\n" step ".endr\n"                                                                   \
    "addi a0, a0, " bytes "\n"                                                                     \
    "addi a1, a1, 1\n"                                                                             \
    "bne a1, a2, 1b\n"                                                                             \
    "2:\n"                                                                                         \
    "beq a1, a7, 4f\n"                                                                             \
    "3:\n"                                                                                         \
    ".irp k, 0, 1, 2, 3\n" step ".endr\n"                                                          \
    "addi a0, a0, 4*" bytes "\n"                                                                   \
    "addi a1, a1, 4\n"                                                                             \
    "bne a1, a7, 3b\n"                                                                             \
    "4:\n"                                                                                         \
    "sw a5, 0(a3)\n"                                                                               \
    "sw t3, 4(a3)\n"                                                                               \
    "sw t4, 8(a3)\n" store "ret\n"

SMG_ASM_FUNCTION void smg_dense_s8_packed8(const int32_t *w SMG_ASM_ARGUMENT,
                                           const int8_t *x SMG_ASM_ARGUMENT,
                                           int32_t count SMG_ASM_ARGUMENT,
                                           uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(SMG_DENSE_FUNCTION(
        "8",
        "lb t2, \\k(a1)\n"
        "lw t1, 8*\\k(a0)\n" SMG_DENSE_WORD(
            "t1", "a5", "t3", "t4") "lw t1, 8*\\k+4(a0)\n" SMG_DENSE_WORD("t1", "t5", "t6", "t0"),
        "sw t5, 12(a3)\n"
        "sw t6, 16(a3)\n"
        "sw t0, 20(a3)\n"));
}

SMG_ASM_FUNCTION void smg_dense_s8_packed4(const int32_t *w SMG_ASM_ARGUMENT,
                                           const int8_t *x SMG_ASM_ARGUMENT,
                                           int32_t count SMG_ASM_ARGUMENT,
                                           uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(SMG_DENSE_FUNCTION("4",
                               "lb t2, \\k(a1)\n"
                               "lw t1, 4*\\k(a0)\n"
                               "add t5, t5, t2\n" SMG_DENSE_WORD("t1", "a5", "t3", "t4"),
                               "sw t5, 12(a3)\n"));
}

#undef SMG_DENSE_FUNCTION
#undef SMG_DENSE_WORD

#else

SMG_INLINE void smg_dense_s8_packed(const int32_t *w, const int8_t *x, int32_t count, int32_t words,
                                    uint32_t *packed) {
    memset(packed, 0, 3 * (size_t)words * sizeof *packed);
    for (const int8_t *const end = x + count; x != end; ++x) {
        const uint32_t value = (uint32_t)(int32_t)*x;
        for (int32_t i = 0; i < words; ++i, ++w) {
            const uint32_t word = (uint32_t)*w;
            packed[3 * i] += word * value;
            packed[3 * i + 1] += (word >> 8 & 0x00ff00ffu) * value;
            packed[3 * i + 2] += (word >> 16) * value;
        }
    }
}

SMG_NOINLINE static void smg_dense_s8_packed8(const int32_t *w, const int8_t *x, int32_t count,
                                              uint32_t *packed) {
    smg_dense_s8_packed(w, x, count, 2, packed);
}

SMG_NOINLINE static void smg_dense_s8_packed4(const int32_t *w, const int8_t *x, int32_t count,
                                              uint32_t *packed) {
    smg_dense_s8_packed(w, x, count, 1, packed);
    packed[3] = smg_dense_s8_total(x, count);
}

#endif

/* Adds the sums of four outputs to `sums`; `total` is the sum of the inputs. */
SMG_INLINE void smg_dense_s8_add_sums(const uint32_t packed[3], uint32_t total, uint32_t *sums) {
    const uint32_t b = packed[1] - 0x00800080u * total;
    const uint32_t a = packed[0] - 0x80808080u * total - (b << 8);
    const uint32_t low0 = (uint32_t)(int32_t)(int16_t)a, low1 = (uint32_t)(int32_t)(int16_t)b;
    const uint32_t low2 = (uint32_t)((int32_t)(a - low0) >> 16);
    const uint32_t low3 = (uint32_t)((int32_t)(b - low1) >> 16);
    uint32_t above = packed[2] - 0x8080u * total - low2 - (low3 << 8);
    uint32_t parts[4];
    for (int32_t i = 0; i < 4; ++i) {
        parts[i] = (uint32_t)(int32_t)(int8_t)above;
        above = (above - parts[i]) >> 8;
    }
    sums[0] += low0 - (parts[0] << 16);
    sums[1] += low1 - (parts[1] << 16);
    sums[2] += low2 + parts[0] + (parts[2] << 16);
    sums[3] += low3 + parts[1] + (parts[3] << 16);
}

/* The sum of the inputs of each segment. */
SMG_INLINE void smg_dense_s8_totals(const smg_dense_s8_interleaved_t *op, const int8_t *x,
                                    uint32_t *totals) {
    for (int32_t left = op->inputs; left > 0; left -= op->segment) {
        *totals++ = smg_dense_s8_total(x, smg_min(left, op->segment));
        x += op->segment;
    }
}

/* Up to eight sums; returns the weights of the next. */
SMG_INLINE const int32_t *smg_dense_s8_sums(const smg_dense_s8_interleaved_t *op, const int32_t *w,
                                            const int8_t *x, const uint32_t *totals, bool wide,
                                            uint32_t sums[8]) {
    memset(sums, 0, 8 * sizeof *sums);
    SMG_ROLLED
    for (int32_t left = op->inputs; left > 0; left -= op->segment) {
        const int32_t count = smg_min(left, op->segment);
        uint32_t packed[6];
        if (wide) {
            smg_dense_s8_packed8(w, x, count, packed);
            smg_dense_s8_add_sums(packed, *totals, sums);
            smg_dense_s8_add_sums(packed + 3, *totals++, sums + 4);
            w += 2 * count;
        } else {
            smg_dense_s8_packed4(w, x, count, packed);
            smg_dense_s8_add_sums(packed, packed[3], sums);
            w += count;
        }
        x += count;
    }
    return w;
}

/* `count` sums to outputs. */
SMG_INLINE void smg_dense_s8_store(const smg_scale_t *op, const int32_t *words,
                                   const uint32_t *sums, int32_t count, int8_t *y) {
    const smg_scale_t scale = *op;
    if (scale.scale > 0) {
        SMG_ROLLED
        for (int32_t o = 0; o < count; ++o, words += 2) {
            y[o] = smg_scale_line(&scale, words[0], words[1], (int32_t)sums[o]);
        }
    } else {
        SMG_ROLLED
        for (int32_t o = 0; o < count; ++o, words += 3) {
            y[o] = smg_scale_steps(&scale, words, (int32_t)sums[o]);
        }
    }
}

SMG_KERNEL void smg_dense_s8_interleaved(const smg_dense_s8_interleaved_t *op, const int8_t *x,
                                         int8_t *y) {
    uint32_t totals[SMG_DENSE_SEGMENTS];
    if (op->outputs > 4) {
        smg_dense_s8_totals(op, x, totals);
    }
    const int32_t *w = op->weights;
    const int32_t *words = op->words;
    for (int32_t left = op->outputs; left > 0; left -= 8) {
        uint32_t sums[8];
        w = smg_dense_s8_sums(op, w, x, totals, left > 4, sums);
        const int32_t count = smg_min(8, left);
        smg_dense_s8_store(&op->scale, words, sums, count, y);
        words += count * smg_scale_words(&op->scale);
        y += count;
    }
    smg_scale_clamp(&op->scale, y - op->outputs, op->outputs);
}

#endif
