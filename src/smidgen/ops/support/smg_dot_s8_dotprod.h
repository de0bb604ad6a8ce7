/* smg_dot_s8_dotprod.h: columns of int8 values against all outputs of a layer, with the dot
 * products of Advanced SIMD (SDOT).
 *
 * y[p,o] = clamp(zp_y + requant(b[o] + sum_k w[o,k] * x[p,k]))
 *
 * A column has 8 * steps values; where the layer has fewer, their weights are 0. `blocks` holds,
 * for every eight outputs, the words of smg_neon_requantize for two times four, and then for every
 * four values four weights of each output. Exact: equals the reference bit for bit. x and y are
 * disjoint.
 */
#ifndef SMG_DOT_S8_DOTPROD_H
#define SMG_DOT_S8_DOTPROD_H

#include "smg_neon.h"

#if !defined(__ARM_FEATURE_DOTPROD)
#error "made for a core with the dot products of Advanced SIMD: compile the model anew for this one"
#endif

typedef struct {
    int32_t steps, outputs;
    smg_finish_neon_t finish;
    const int32_t *blocks;
} smg_dot_s8_dotprod_t;

/* Sums of eight outputs of one column. */
typedef struct {
    int32x4_t low, high;
} smg_sums_dotprod_t;

/* Adds the products of values 4 * k to 4 * k + 3 of sixteen, k being a constant. */
#define SMG_DOTPROD_ADD(sums, x, w, k)                                                             \
    do {                                                                                           \
        (sums).low = vdotq_laneq_s32((sums).low, (w).low, x, k);                                   \
        (sums).high = vdotq_laneq_s32((sums).high, (w).high, x, k);                                \
    } while (0)

/* Four weights of each of eight outputs. */
typedef struct {
    int8x16_t low, high;
} smg_weights_dotprod_t;

SMG_INLINE smg_weights_dotprod_t smg_dotprod_weights(const int8_t *w) {
    const smg_weights_dotprod_t weights = {vld1q_s8(w), vld1q_s8(w + 16)};
    return weights;
}

/* Eight outputs of each of two columns. */
SMG_INLINE int8x16_t smg_dotprod_quanta(const smg_finish_neon_t *op, const smg_sums_dotprod_t *p,
                                        const smg_sums_dotprod_t *q, const int32_t *words,
                                        bool up) {
    const int32_t *const more = words + SMG_NEON_WORDS;
    return smg_neon_sixteen(
        op, smg_neon_requantize(p->low, words, up), smg_neon_requantize(p->high, more, up),
        smg_neon_requantize(q->low, words, up), smg_neon_requantize(q->high, more, up));
}

/* Four columns, which follow each other, of which the first `columns` are wanted. */
SMG_INLINE void smg_dot_8x4_s8_dotprod(const smg_dot_s8_dotprod_t *op, const int8_t *x, int8_t *y,
                                       int32_t columns, bool up) {
    const smg_finish_neon_t finish = op->finish;
    const int32_t outputs = op->outputs, steps = op->steps, apart = 8 * steps;
    const int32_t *words = op->blocks;
    for (int32_t left = outputs; left > 0; left -= 8) {
        const int8_t *w = (const int8_t *)(words + 2 * SMG_NEON_WORDS);
        const int8_t *at = x;
        smg_sums_dotprod_t p = {vld1q_s32(words), vld1q_s32(words + SMG_NEON_WORDS)};
        smg_sums_dotprod_t q = p, r = p, s = p;
        for (int32_t twos = steps >> 1; twos > 0; --twos) {
            const smg_weights_dotprod_t a = smg_dotprod_weights(w), b = smg_dotprod_weights(w + 32);
            const smg_weights_dotprod_t c = smg_dotprod_weights(w + 64),
                                        d = smg_dotprod_weights(w + 96);
            const int8x16_t xp = vld1q_s8(at), xq = vld1q_s8(at + apart);
            const int8x16_t xr = vld1q_s8(at + 2 * apart), xs = vld1q_s8(at + 3 * apart);
            SMG_DOTPROD_ADD(p, xp, a, 0);
            SMG_DOTPROD_ADD(q, xq, a, 0);
            SMG_DOTPROD_ADD(r, xr, a, 0);
            SMG_DOTPROD_ADD(s, xs, a, 0);
            SMG_DOTPROD_ADD(p, xp, b, 1);
            SMG_DOTPROD_ADD(q, xq, b, 1);
            SMG_DOTPROD_ADD(r, xr, b, 1);
            SMG_DOTPROD_ADD(s, xs, b, 1);
            SMG_DOTPROD_ADD(p, xp, c, 2);
            SMG_DOTPROD_ADD(q, xq, c, 2);
            SMG_DOTPROD_ADD(r, xr, c, 2);
            SMG_DOTPROD_ADD(s, xs, c, 2);
            SMG_DOTPROD_ADD(p, xp, d, 3);
            SMG_DOTPROD_ADD(q, xq, d, 3);
            SMG_DOTPROD_ADD(r, xr, d, 3);
            SMG_DOTPROD_ADD(s, xs, d, 3);
            at += 16;
            w += 128;
        }
        if ((steps & 1) != 0) {
            const smg_weights_dotprod_t a = smg_dotprod_weights(w), b = smg_dotprod_weights(w + 32);
            const int8x16_t xpq = vcombine_s8(vld1_s8(at), vld1_s8(at + apart));
            const int8x16_t xrs = vcombine_s8(vld1_s8(at + 2 * apart), vld1_s8(at + 3 * apart));
            SMG_DOTPROD_ADD(p, xpq, a, 0);
            SMG_DOTPROD_ADD(q, xpq, a, 2);
            SMG_DOTPROD_ADD(r, xrs, a, 0);
            SMG_DOTPROD_ADD(s, xrs, a, 2);
            SMG_DOTPROD_ADD(p, xpq, b, 1);
            SMG_DOTPROD_ADD(q, xpq, b, 3);
            SMG_DOTPROD_ADD(r, xrs, b, 1);
            SMG_DOTPROD_ADD(s, xrs, b, 3);
            w += 64;
        }
        const int8x16_t first = smg_dotprod_quanta(&finish, &p, &q, words, up);
        const int8x16_t last = smg_dotprod_quanta(&finish, &r, &s, words, up);
        if (columns == 4 && left >= 8) {
            vst1_s8(y, vget_low_s8(first));
            vst1_s8(y + outputs, vget_high_s8(first));
            vst1_s8(y + 2 * outputs, vget_low_s8(last));
            vst1_s8(y + 3 * outputs, vget_high_s8(last));
        } else {
            int8_t quanta[32];
            vst1q_s8(quanta, first);
            vst1q_s8(quanta + 16, last);
            SMG_ROLLED
            for (int32_t k = 0; k < columns; ++k) {
                smg_neon_copy(y + k * outputs, quanta + 8 * k, smg_min(left, 8));
            }
        }
        y += 8;
        words = (const int32_t *)(const void *)w;
    }
}

/* One column of `depth` values, behind which nothing is read. */
SMG_INLINE void smg_dot_8x1_s8_dotprod(const smg_dot_s8_dotprod_t *op, const int8_t *x, int8_t *y,
                                       int32_t depth, bool up) {
    const int32_t *words = op->blocks;
    for (int32_t left = op->outputs; left > 0; left -= 8) {
        const int8_t *w = (const int8_t *)(words + 2 * SMG_NEON_WORDS);
        const int8_t *at = x;
        smg_sums_dotprod_t sums = {vld1q_s32(words), vld1q_s32(words + SMG_NEON_WORDS)};
        const int32x4_t zero = vdupq_n_s32(0);
        smg_sums_dotprod_t more = {zero, zero};
        int32_t rest = depth;
        for (; rest >= 16; rest -= 16) {
            const smg_weights_dotprod_t a = smg_dotprod_weights(w), b = smg_dotprod_weights(w + 32);
            const smg_weights_dotprod_t c = smg_dotprod_weights(w + 64),
                                        d = smg_dotprod_weights(w + 96);
            const int8x16_t values = vld1q_s8(at);
            SMG_DOTPROD_ADD(sums, values, a, 0);
            SMG_DOTPROD_ADD(more, values, b, 1);
            SMG_DOTPROD_ADD(sums, values, c, 2);
            SMG_DOTPROD_ADD(more, values, d, 3);
            at += 16;
            w += 128;
        }
        for (; rest > 0; rest -= 8) {
            const smg_weights_dotprod_t a = smg_dotprod_weights(w), b = smg_dotprod_weights(w + 32);
            const int8x8_t eight = rest >= 8 ? vld1_s8(at) : smg_neon_load_some(at, rest);
            const int8x16_t values = vcombine_s8(eight, eight);
            SMG_DOTPROD_ADD(sums, values, a, 0);
            SMG_DOTPROD_ADD(more, values, b, 1);
            at += 8;
            w += 64;
        }
        sums.low = vaddq_s32(sums.low, more.low);
        sums.high = vaddq_s32(sums.high, more.high);
        const int8x8_t quanta =
            smg_neon_eight(&op->finish, smg_neon_requantize(sums.low, words, up),
                           smg_neon_requantize(sums.high, words + SMG_NEON_WORDS, up));
        if (left >= 8) {
            vst1_s8(y, quanta);
        } else {
            smg_neon_store_some(y, quanta, left);
        }
        y += 8;
        words = (const int32_t *)(const void *)w;
    }
}

#endif
