/* smg_dense_s8_interleaved: fully connected layer of one row on int8 for cores without SIMD.
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * SMG_DENSE_BLOCK outputs at a time, so that x is loaded once for all: eight, or four where there
 * are eight registers only. Weights are stored as w + 128, because some cores load unsigned bytes
 * with less effort; 128 * sum(x) is taken off again. A product costs a load and a multiplication
 * with addition: on ARMv7-M 17 instructions for eight products and 2.2 for each with the loop, on
 * ARMv6-M 3.75, on RV32 3.5.
 *
 * Exact: equals the reference of Dense bit for bit, for scaling that ops/support/columns.py packed.
 * Scratch: none. x and y are disjoint.
 */
#ifndef SMG_DENSE_S8_INTERLEAVED_H
#define SMG_DENSE_S8_INTERLEAVED_H

#include "smg_asm.h"
#include "smg_scale.h"

typedef struct {
    int32_t inputs, outputs;
    smg_scale_t scale;
    const uint8_t *weights; /* [blocks][inputs][SMG_DENSE_BLOCK], 128 added */
    const int32_t *words;   /* the scaling of each output */
} smg_dense_s8_interleaved_t;

/* smg_dense_s8_sums: the sums of `count` >= 1 products of one block. */
#if defined(__thumb2__)

#define SMG_DENSE_BLOCK 8

SMG_ASM_FUNCTION void smg_dense_s8_sums(const uint8_t *w SMG_ASM_ARGUMENT,
                                        const int8_t *x SMG_ASM_ARGUMENT,
                                        int32_t count SMG_ASM_ARGUMENT,
                                        int32_t *sums SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r3-r11, lr}\n"
            /* The loop has 4 steps of 68 bytes, and is entered where the odd ones remain. */
            "rsb r3, r2, #0\n"
            "and r3, r3, #3\n"
            "adr.w r12, 1f\n"
            "add r12, r12, r3, lsl #6\n"
            "add r12, r12, r3, lsl #2\n"
            "add r12, r12, #1\n"
            "add r2, r2, r1\n"
            "movs r4, #0\n"
            "movs r5, #0\n"
            "movs r6, #0\n"
            "movs r7, #0\n"
            "mov r8, r4\n"
            "mov r9, r4\n"
            "mov r10, r4\n"
            "mov r11, r4\n"
            "bx r12\n"
            ".p2align 2\n"
            "1:\n"
            ".rept 4\n"
            "ldrsb r12, [r1], #1\n"
            ".irp sum, r4, r5, r6, r7, r8, r9, r10, r11\n"
            "ldrb r3, [r0], #1\n"
            "mla \\sum, r3, r12, \\sum\n"
            ".endr\n"
            ".endr\n"
            "cmp r1, r2\n"
            "bne 1b\n"
            "ldr r3, [sp], #4\n"
            "stm r3, {r4-r11}\n"
            "pop {r4-r11, pc}\n");
}

#elif defined(__thumb__)

#define SMG_DENSE_BLOCK 4

SMG_ASM_FUNCTION void smg_dense_s8_sums(const uint8_t *w SMG_ASM_ARGUMENT,
                                        const int8_t *x SMG_ASM_ARGUMENT,
                                        int32_t count SMG_ASM_ARGUMENT,
                                        int32_t *sums SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r3-r7, lr}\n"
            "adds r2, r1, r2\n"
            "mov r12, r2\n"
            "movs r4, #0\n"
            "movs r5, #0\n"
            "movs r6, #0\n"
            "movs r7, #0\n"
            "b 2f\n"
            "1:\n"
            ".irp k, 0, 1, 2, 3\n"
            "ldrb r2, [r1, #\\k]\n"
            "sxtb r2, r2\n"
            ".irp o, 0, 1, 2, 3\n"
            "ldrb r3, [r0, #4 * \\k + \\o]\n"
            "muls r3, r2, r3\n"
            ".if \\o == 0\n"
            "adds r4, r4, r3\n"
            ".elseif \\o == 1\n"
            "adds r5, r5, r3\n"
            ".elseif \\o == 2\n"
            "adds r6, r6, r3\n"
            ".else\n"
            "adds r7, r7, r3\n"
            ".endif\n"
            ".endr\n"
            ".endr\n"
            "adds r0, #16\n"
            "adds r1, #4\n"
            "2:\n"
            "mov r2, r12\n"
            "subs r2, r2, r1\n"
            "cmp r2, #4\n"
            "bge 1b\n"
            "cmp r2, #0\n"
            "beq 4f\n"
            "3:\n"
            "ldrb r2, [r1]\n"
            "sxtb r2, r2\n"
            "ldrb r3, [r0]\n"
            "muls r3, r2, r3\n"
            "adds r4, r4, r3\n"
            "ldrb r3, [r0, #1]\n"
            "muls r3, r2, r3\n"
            "adds r5, r5, r3\n"
            "ldrb r3, [r0, #2]\n"
            "muls r3, r2, r3\n"
            "adds r6, r6, r3\n"
            "ldrb r3, [r0, #3]\n"
            "muls r3, r2, r3\n"
            "adds r7, r7, r3\n"
            "adds r0, #4\n"
            "adds r1, #1\n"
            "cmp r1, r12\n"
            "bne 3b\n"
            "4:\n"
            "pop {r3}\n"
            "stm r3!, {r4-r7}\n"
            "pop {r4-r7, pc}\n");
}

#else

#define SMG_DENSE_BLOCK 8

SMG_INLINE void smg_dense_s8_step(const uint8_t *w, int32_t x, int32_t sums[8]) {
    for (int32_t o = 0; o < 8; ++o) {
        sums[o] += x * w[o];
    }
}

SMG_NOINLINE static void smg_dense_s8_sums(const uint8_t *w, const int8_t *x, int32_t count,
                                           int32_t *sums) {
    int32_t all[8] = {0};
    if ((count & 1) != 0) {
        smg_dense_s8_step(w, *x++, all);
        w += 8;
    }
    const int8_t *const end = x + (count & ~1);
    while (x != end) {
        smg_dense_s8_step(w, x[0], all);
        smg_dense_s8_step(w + 8, x[1], all);
        w += 16;
        x += 2;
    }
    memcpy(sums, all, sizeof all);
}

#endif

SMG_KERNEL void smg_dense_s8_interleaved(const smg_dense_s8_interleaved_t *op, const int8_t *x,
                                         int8_t *y) {
    int32_t offset = 0;
    SMG_ROLLED
    for (int32_t i = 0; i < op->inputs; ++i) {
        offset += x[i];
    }
    offset *= 128;
    const uint8_t *w = op->weights;
    const int32_t *words = op->words;
    for (int32_t first = 0; first < op->outputs; first += SMG_DENSE_BLOCK) {
        int32_t sums[SMG_DENSE_BLOCK];
        smg_dense_s8_sums(w, x, op->inputs, sums);
        w += SMG_DENSE_BLOCK * op->inputs;
        for (int32_t o = 0; o < smg_min(SMG_DENSE_BLOCK, op->outputs - first); ++o) {
            *y++ = smg_scale(&op->scale, words, sums[o] - offset);
            words += smg_scale_words(&op->scale);
        }
    }
}

#endif
