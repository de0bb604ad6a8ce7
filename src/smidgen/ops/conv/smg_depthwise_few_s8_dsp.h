/* smg_depthwise_few_s8_dsp: depthwise convolution on int8 with a window along one axis and no
 * padding, for few outputs of a channel, on Arm cores with the DSP extension.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_t w[t,o] * x[r*sr + .., c*sc + .., o]))
 *
 * Four channels at a time, as they lie in x: a tap of four channels costs 2 loads, 4 SXTB16 and 4
 * SMLAx, 3 instructions for each product with the loop. Nothing is copied, and weights stay as they
 * are, so that this is the kernel where a channel has too few outputs to share such work.
 *
 * Exact: equals the reference of DepthwiseConv2D bit for bit, for scaling that
 * ops/support/columns.py packed. Scratch: none. Four channels are read before they are written, in
 * the order of y: y may reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_DEPTHWISE_FEW_S8_DSP_H
#define SMG_DEPTHWISE_FEW_S8_DSP_H

#include "smg_asm.h"
#include "smg_scale.h"

typedef struct {
    int32_t channels;                       /* a multiple of 4 */
    int32_t rows, cols, row_step, col_step; /* outputs; bytes of x from one to the next */
    int32_t taps, tap_step;                 /* bytes of x from one tap to the next */
    smg_scale_t scale;
    const int32_t *weights; /* [channels / 4][taps]: four channels each */
    const int32_t *words;   /* the scaling of each channel */
} smg_depthwise_few_s8_dsp_t;

#define SMG_DW_FEW_TAP                                                                             \
    "ldr r8, [r1]\n"                                                                               \
    "ldr r9, [r0], #4\n"                                                                           \
    "add r1, r12\n"                                                                                \
    "sxtb16 r10, r8\n"                                                                             \
    "sxtb16 r11, r9\n"                                                                             \
    "sxtb16 r8, r8, ror #8\n"                                                                      \
    "sxtb16 r9, r9, ror #8\n"                                                                      \
    "smlabb r4, r10, r11, r4\n"                                                                    \
    "smlatt r6, r10, r11, r6\n"                                                                    \
    "smlabb r5, r8, r9, r5\n"                                                                      \
    "smlatt r7, r8, r9, r7\n"

/* The sums of four channels over `taps` >= 1; returns the weights that follow. */
SMG_ASM_FUNCTION const int32_t *smg_depthwise_few_s8_dsp_sums(const int32_t *w SMG_ASM_ARGUMENT,
                                                              const int8_t *x SMG_ASM_ARGUMENT,
                                                              int32_t taps SMG_ASM_ARGUMENT,
                                                              int32_t *sums SMG_ASM_ARGUMENT,
                                                              int32_t step SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r11, lr}\n"
            "ldr r12, [sp, #36]\n"
            "movs r4, #0\n"
            "movs r5, #0\n"
            "movs r6, #0\n"
            "movs r7, #0\n"
            "adds r2, #1\n"
            "lsrs r2, r2, #1\n"
            "bcc 2f\n"
            "1:\n" SMG_DW_FEW_TAP "2:\n" SMG_DW_FEW_TAP "subs r2, #1\n"
            "bne 1b\n"
            "stm r3, {r4-r7}\n"
            "pop {r4-r11, pc}\n");
}

#undef SMG_DW_FEW_TAP

/* All channels of one pixel. */
SMG_INLINE void smg_depthwise_few_s8_dsp_pixel(const smg_depthwise_few_s8_dsp_t *op,
                                               const int8_t *x, int8_t *y) {
    const int32_t *w = op->weights, *words = op->words;
    SMG_ROLLED
    for (int32_t o = 0; o < op->channels; o += 4) {
        int32_t sums[4];
        w = smg_depthwise_few_s8_dsp_sums(w, x + o, op->taps, sums, op->tap_step);
        SMG_ROLLED
        for (int32_t k = 0; k < 4; ++k) {
            y[o + k] = smg_scale(&op->scale, words, sums[k]);
            words += smg_scale_words(&op->scale);
        }
    }
}

SMG_KERNEL void smg_depthwise_few_s8_dsp(const smg_depthwise_few_s8_dsp_t *op, const int8_t *x,
                                         int8_t *y) {
    SMG_ROLLED
    for (int32_t r = 0; r < op->rows; ++r) {
        const int8_t *from = x + r * op->row_step;
        SMG_ROLLED
        for (int32_t c = 0; c < op->cols; ++c) {
            smg_depthwise_few_s8_dsp_pixel(op, from, y);
            from += op->col_step;
            y += op->channels;
        }
    }
}

#endif
