/* smg_dense_s8_mve: fully connected layer on one row of int8, for Arm cores with MVE (Helium).
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in. Four outputs are made at a time, from the blocks
 * that smg_dot_2x4_s8_mve.h describes. Exact: equals the reference of Dense bit for bit. Scratch:
 * none. x and y are disjoint. Reads nothing behind x.
 */
#ifndef SMG_DENSE_S8_MVE_H
#define SMG_DENSE_S8_MVE_H

#include "smg_dot_2x4_s8_mve.h"

typedef struct {
    int32_t depth;
    smg_dot_s8_mve_t dot;
} smg_dense_s8_mve_t;

/* Sums of four outputs. */
SMG_INLINE int32x4_t smg_dense_s8_mve_sums(const int8_t *x, const int8_t *w, int32_t depth) {
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t step = depth >> 4; step > 0; --step) {
        const int8x16_t values = vldrbq_s8(x);
        a = vmladavaq_s8(a, values, vldrbq_s8(w));
        b = vmladavaq_s8(b, values, vldrbq_s8(w + 16));
        c = vmladavaq_s8(c, values, vldrbq_s8(w + 32));
        d = vmladavaq_s8(d, values, vldrbq_s8(w + 48));
        x += 16;
        w += 64;
    }
    if ((depth & 15) != 0) {
        const int8x16_t values = vldrbq_z_s8(x, vctp8q((uint32_t)(depth & 15)));
        a = vmladavaq_s8(a, values, vldrbq_s8(w));
        b = vmladavaq_s8(b, values, vldrbq_s8(w + 16));
        c = vmladavaq_s8(c, values, vldrbq_s8(w + 32));
        d = vmladavaq_s8(d, values, vldrbq_s8(w + 48));
    }
    return (int32x4_t){a, b, c, d};
}

SMG_INLINE void smg_dense_s8_mve_layer(const smg_dense_s8_mve_t *op, const int8_t *x, int8_t *y,
                                       bool up) {
    const int32x4_t low = vdupq_n_s32(op->dot.low), high = vdupq_n_s32(op->dot.high);
    const int32_t *words = op->dot.blocks;
    for (int32_t left = op->dot.outputs; left > 0; left -= 4) {
        const int8_t *const weights = (const int8_t *)(words + SMG_MVE_WORDS(up));
        int32x4_t sums = smg_dense_s8_mve_sums(x, weights, op->depth);
        sums = smg_mve_requantize(sums, words, up);
        sums = vqaddq_n_s32(sums, op->dot.out_zero_point);
        sums = vmaxq_s32(vminq_s32(sums, high), low);
        vstrbq_p_s32(y, sums, vctp32q((uint32_t)left));
        words += SMG_MVE_WORDS(up) + 16 * op->dot.steps;
        y += 4;
    }
}

SMG_KERNEL void smg_dense_s8_mve(const smg_dense_s8_mve_t *op, const int8_t *x, int8_t *y) {
    smg_dense_s8_mve_layer(op, x, y, false);
}

SMG_KERNEL void smg_dense_s8_mve_up(const smg_dense_s8_mve_t *op, const int8_t *x, int8_t *y) {
    smg_dense_s8_mve_layer(op, x, y, true);
}

#endif
