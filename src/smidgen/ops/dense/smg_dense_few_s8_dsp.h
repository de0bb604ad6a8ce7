/* smg_dense_few_s8_dsp: fully connected layer of one row on int8, for few outputs of many inputs,
 * on Arm cores with the DSP extension.
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * Four outputs at a time, from a word of weights each: no more than four have to be there, and sums
 * may take all of 32 bits, which the pairs of smg_dot_8x1_s8_dsp.h do not allow. Four inputs and
 * four outputs cost 8 SMLAD, 10 SXTB16, 2 LDRD and an LDR for 16 products: 1.31 instructions each,
 * and 1.38 with the loop. An output alone takes 2.3.
 *
 * Exact: equals the reference of Dense bit for bit, for scaling that ops/support/columns.py packed.
 * Scratch: none. x and y are disjoint.
 */
#ifndef SMG_DENSE_FEW_S8_DSP_H
#define SMG_DENSE_FEW_S8_DSP_H

#include "smg_asm.h"
#include "smg_dsp.h"
#include "smg_scale.h"

typedef struct {
    int32_t inputs, outputs;
    int32_t in_blocks; /* outputs that are made by fours; one or two behind them are made alone */
    smg_scale_t scale;
    const int32_t *weights; /* [blocks][inputs / 4, rounded up][4 or 1 outputs]: 4 inputs each */
    const int32_t *words;   /* the scaling of each output */
} smg_dense_few_s8_dsp_t;

#define SMG_DENSE_FEW_OUTPUT(weights, sum)                                                         \
    "sxtb16 r12, " weights "\n"                                                                    \
    "sxtb16 " weights ", " weights ", ror #8\n"                                                    \
    "smlad " sum ", r12, r8, " sum "\n"                                                            \
    "smlad " sum ", " weights ", r9, " sum "\n"
#define SMG_DENSE_FEW_STEP                                                                         \
    "ldr r9, [r1], #4\n"                                                                           \
    "ldrd r10, r11, [r0], #8\n"                                                                    \
    "sxtb16 r8, r9\n"                                                                              \
    "sxtb16 r9, r9, ror #8\n" SMG_DENSE_FEW_OUTPUT("r10", "r4") SMG_DENSE_FEW_OUTPUT(              \
        "r11", "r5") "ldrd r10, r11, [r0], #8\n" SMG_DENSE_FEW_OUTPUT("r10", "r6")                 \
        SMG_DENSE_FEW_OUTPUT("r11", "r7")

/* Adds the products of `count` >= 1 times four inputs to four sums; returns the weights that
 * follow. */
SMG_ASM_FUNCTION const int32_t *smg_dense_few_s8_dsp_sums(const int32_t *w SMG_ASM_ARGUMENT,
                                                          const int8_t *x SMG_ASM_ARGUMENT,
                                                          int32_t count SMG_ASM_ARGUMENT,
                                                          int32_t *sums SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r11, lr}\n"
            "ldm r3, {r4-r7}\n"
            "lsls r12, r2, #31\n"
            "add r2, r1, r2, lsl #2\n"
            "bne 2f\n"
            "1:\n" SMG_DENSE_FEW_STEP "2:\n" SMG_DENSE_FEW_STEP "cmp r1, r2\n"
            "bne 1b\n"
            "stm r3, {r4-r7}\n"
            "pop {r4-r11, pc}\n");
}

#undef SMG_DENSE_FEW_OUTPUT
#undef SMG_DENSE_FEW_STEP

/* The sum of `count` times four products. */
SMG_INLINE int32_t smg_dense_few_s8_dsp_sum(const int32_t *w, const int8_t *x, int32_t count) {
    int32_t sum = 0;
    for (int32_t n = 0; n < count; ++n) {
        const int32_t four = smg_load_word(x + 4 * n);
        sum = smg_dot(smg_even_bytes(four), smg_even_bytes(w[n]), sum);
        sum = smg_dot(smg_odd_bytes(four), smg_odd_bytes(w[n]), sum);
    }
    return sum;
}

SMG_KERNEL void smg_dense_few_s8_dsp(const smg_dense_few_s8_dsp_t *op, const int8_t *x, int8_t *y) {
    const int32_t fours = op->inputs / 4, left = op->inputs % 4;
    const int32_t *w = op->weights;
    const int32_t *words = op->words;
    int8_t last[4] = {0};
    memcpy(last, x + 4 * fours, (size_t)left);
    SMG_ROLLED
    for (int32_t first = 0; first < op->in_blocks; first += 4) {
        int32_t sums[4] = {0};
        if (fours > 0) {
            w = smg_dense_few_s8_dsp_sums(w, x, fours, sums);
        }
        if (left > 0) {
            w = smg_dense_few_s8_dsp_sums(w, last, 1, sums);
        }
        SMG_ROLLED
        for (int32_t o = 0; o < smg_min(4, op->outputs - first); ++o) {
            *y++ = smg_scale(&op->scale, words, sums[o]);
            words += smg_scale_words(&op->scale);
        }
    }
    SMG_ROLLED
    for (int32_t o = op->in_blocks; o < op->outputs; ++o) {
        int32_t sum = smg_dense_few_s8_dsp_sum(w, x, fours);
        w += fours;
        if (left > 0) {
            sum += smg_dense_few_s8_dsp_sum(w++, last, 1);
        }
        *y++ = smg_scale(&op->scale, words, sum);
        words += smg_scale_words(&op->scale);
    }
}

#endif
