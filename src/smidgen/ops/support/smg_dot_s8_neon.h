/* smg_dot_s8_neon.h: columns of int8 values against all outputs of a layer, with Advanced SIMD.
 *
 * y[p,o] = clamp(zp_y + requant(b[o] + sum_k w[o,k] * x[p,k]))
 *
 * A column has 8 * steps values; where the layer has fewer, their weights are 0. `blocks` holds,
 * for every four outputs, the words of smg_neon_requantize, then 16 weights of each for every two
 * steps, and 8 of each for the last where they are odd in number. SMULL and SMLAL2 add two products
 * in 16 bits, which overflow where both are of -128 with -128: with weights of -128 (`full_range`)
 * each is widened alone. SADALP adds pairs of lanes to the sums. Exact: equals the reference bit
 * for bit. x and y are disjoint.
 */
#ifndef SMG_DOT_S8_NEON_H
#define SMG_DOT_S8_NEON_H

#include "smg_neon.h"

typedef struct {
    int32_t steps, outputs, full_range;
    smg_finish_neon_t finish;
    const int32_t *blocks;
} smg_dot_s8_neon_t;

/* Sums of four outputs of one column, each in four parts. */
typedef struct {
    int32x4_t a, b, c, d;
} smg_sums_neon_t;

/* Sixteen weights of each of four outputs. */
typedef struct {
    int8x16_t a, b, c, d;
} smg_weights_neon_t;

SMG_INLINE int32x4_t smg_neon_add_8(int32x4_t sums, int8x8_t x, const int8_t *w) {
    return vpadalq_s16(sums, vmull_s8(x, vld1_s8(w)));
}

SMG_INLINE smg_weights_neon_t smg_neon_weights(const int8_t *w) {
    const smg_weights_neon_t weights = {vld1q_s8(w), vld1q_s8(w + 16), vld1q_s8(w + 32),
                                        vld1q_s8(w + 48)};
    return weights;
}

/* clang-format off */
#define SMG_NEON_ADD_PAIRS                                                                        \
    "sadalp %[sa].4s, %[a].8h\n"                                                                  \
    "sadalp %[sb].4s, %[b].8h\n"                                                                  \
    "sadalp %[sc].4s, %[c].8h\n"                                                                  \
    "sadalp %[sd].4s, %[d].8h\n"                                                                  \
    : [sa] "+w"(sums->a), [sb] "+w"(sums->b), [sc] "+w"(sums->c), [sd] "+w"(sums->d),             \
      [a] "=&w"(a), [b] "=&w"(b), [c] "=&w"(c), [d] "=&w"(d)                                      \
    : [x] "w"(values), [wa] "w"(w->a), [wb] "w"(w->b), [wc] "w"(w->c), [wd] "w"(w->d)

/* Adds the products of sixteen values with weights of four outputs. Compilers begin with the
 * products of all columns, which are more than there are registers, hence assembly. */
SMG_INLINE void smg_neon_add_4x16(smg_sums_neon_t *sums, const int8_t *x,
                                  const smg_weights_neon_t *w, bool full_range) {
    const int8x16_t values = vld1q_s8(x);
    int16x8_t a, b, c, d;
    if (full_range) {
        __asm__("smull %[a].8h, %[x].8b, %[wa].8b\n"
                "smull %[b].8h, %[x].8b, %[wb].8b\n"
                "smull %[c].8h, %[x].8b, %[wc].8b\n"
                "smull %[d].8h, %[x].8b, %[wd].8b\n"
                "sadalp %[sa].4s, %[a].8h\n"
                "sadalp %[sb].4s, %[b].8h\n"
                "sadalp %[sc].4s, %[c].8h\n"
                "sadalp %[sd].4s, %[d].8h\n"
                "smull2 %[a].8h, %[x].16b, %[wa].16b\n"
                "smull2 %[b].8h, %[x].16b, %[wb].16b\n"
                "smull2 %[c].8h, %[x].16b, %[wc].16b\n"
                "smull2 %[d].8h, %[x].16b, %[wd].16b\n"
                SMG_NEON_ADD_PAIRS);
    } else {
        __asm__("smull %[a].8h, %[x].8b, %[wa].8b\n"
                "smull %[b].8h, %[x].8b, %[wb].8b\n"
                "smull %[c].8h, %[x].8b, %[wc].8b\n"
                "smull %[d].8h, %[x].8b, %[wd].8b\n"
                "smlal2 %[a].8h, %[x].16b, %[wa].16b\n"
                "smlal2 %[b].8h, %[x].16b, %[wb].16b\n"
                "smlal2 %[c].8h, %[x].16b, %[wc].16b\n"
                "smlal2 %[d].8h, %[x].16b, %[wd].16b\n"
                SMG_NEON_ADD_PAIRS);
    }
}
/* clang-format on */

/* The same of eight. */
SMG_INLINE void smg_neon_add_4x8(smg_sums_neon_t *sums, int8x8_t x, const int8_t *w) {
    sums->a = smg_neon_add_8(sums->a, x, w);
    sums->b = smg_neon_add_8(sums->b, x, w + 8);
    sums->c = smg_neon_add_8(sums->c, x, w + 16);
    sums->d = smg_neon_add_8(sums->d, x, w + 24);
}

/* The parts of each sum together, and the bias. */
SMG_INLINE int32x4_t smg_neon_joined(const smg_sums_neon_t *sums, const int32_t *words) {
    const int32x4_t first = vpaddq_s32(sums->a, sums->b), last = vpaddq_s32(sums->c, sums->d);
    return vaddq_s32(vpaddq_s32(first, last), vld1q_s32(words));
}

/* Four outputs of one column, in one word, of which `left` remain. */
SMG_INLINE void smg_neon_store_4(int8_t *y, int32_t four, int32_t left) {
    if (left >= 4) {
        memcpy(y, &four, 4);
    } else {
        smg_neon_store_some(y, vcreate_s8((uint32_t)four), left);
    }
}

/* Four outputs of four columns, of which `columns` are wanted and `left` outputs remain. */
SMG_INLINE void smg_neon_store_4x4(int8_t *y, int8x16_t quanta, ptrdiff_t outputs, int32_t columns,
                                   int32_t left) {
    int32_t fours[4];
    vst1q_s32(fours, vreinterpretq_s32_s8(quanta));
    if (columns == 4 && left >= 4) {
        memcpy(y, &fours[0], 4);
        memcpy(y + outputs, &fours[1], 4);
        memcpy(y + 2 * outputs, &fours[2], 4);
        memcpy(y + 3 * outputs, &fours[3], 4);
    } else {
        SMG_ROLLED
        for (int32_t k = 0; k < columns; ++k) {
            smg_neon_store_4(y + k * outputs, fours[k], left);
        }
    }
}

/* Four columns, which follow each other, of which the first `columns` are wanted. */
SMG_INLINE void smg_dot_4x4_s8_neon(const smg_dot_s8_neon_t *op, const int8_t *x, int8_t *y,
                                    int32_t columns, bool full_range, bool up) {
    const smg_finish_neon_t finish = op->finish;
    const int32_t outputs = op->outputs, steps = op->steps, apart = 8 * steps;
    const int32_t *words = op->blocks;
    for (int32_t left = outputs; left > 0; left -= 4) {
        const int8_t *w = (const int8_t *)(words + SMG_NEON_WORDS);
        const int8_t *at = x;
        const int32x4_t zero = vdupq_n_s32(0);
        smg_sums_neon_t p = {zero, zero, zero, zero}, q = p, r = p, s = p;
        for (int32_t twos = steps >> 1; twos > 0; --twos) {
            const smg_weights_neon_t weights = smg_neon_weights(w);
            smg_neon_add_4x16(&p, at, &weights, full_range);
            smg_neon_add_4x16(&q, at + apart, &weights, full_range);
            smg_neon_add_4x16(&r, at + 2 * apart, &weights, full_range);
            smg_neon_add_4x16(&s, at + 3 * apart, &weights, full_range);
            at += 16;
            w += 64;
        }
        if ((steps & 1) != 0) {
            smg_neon_add_4x8(&p, vld1_s8(at), w);
            smg_neon_add_4x8(&q, vld1_s8(at + apart), w);
            smg_neon_add_4x8(&r, vld1_s8(at + 2 * apart), w);
            smg_neon_add_4x8(&s, vld1_s8(at + 3 * apart), w);
            w += 32;
        }
        const int8x16_t quanta =
            smg_neon_sixteen(&finish, smg_neon_requantize(smg_neon_joined(&p, words), words, up),
                             smg_neon_requantize(smg_neon_joined(&q, words), words, up),
                             smg_neon_requantize(smg_neon_joined(&r, words), words, up),
                             smg_neon_requantize(smg_neon_joined(&s, words), words, up));
        smg_neon_store_4x4(y, quanta, outputs, columns, left);
        y += 4;
        words = (const int32_t *)(const void *)w;
    }
}

/* One column of `depth` values, behind which nothing is read. */
SMG_INLINE void smg_dot_4x1_s8_neon(const smg_dot_s8_neon_t *op, const int8_t *x, int8_t *y,
                                    int32_t depth, bool full_range, bool up) {
    const int32_t *words = op->blocks;
    for (int32_t left = op->outputs; left > 0; left -= 4) {
        const int8_t *w = (const int8_t *)(words + SMG_NEON_WORDS);
        const int8_t *at = x;
        const int32x4_t zero = vdupq_n_s32(0);
        smg_sums_neon_t sums = {zero, zero, zero, zero};
        int32_t rest = depth;
        for (; rest >= 16; rest -= 16) {
            const smg_weights_neon_t weights = smg_neon_weights(w);
            smg_neon_add_4x16(&sums, at, &weights, full_range);
            at += 16;
            w += 64;
        }
        if (rest > 8) {
            /* As sixteen, the last of which are 0. */
            const smg_weights_neon_t weights = smg_neon_weights(w);
            int8_t copy[16] = {0};
            smg_neon_copy(copy, at, rest);
            smg_neon_add_4x16(&sums, copy, &weights, full_range);
            w += 64;
        } else if (rest > 0) {
            smg_neon_add_4x8(&sums, rest == 8 ? vld1_s8(at) : smg_neon_load_some(at, rest), w);
            w += 32;
        }
        const int32x4_t quanta = smg_neon_requantize(smg_neon_joined(&sums, words), words, up);
        const int8x8_t four = smg_neon_eight(&op->finish, quanta, quanta);
        smg_neon_store_4(y, vget_lane_s32(vreinterpret_s32_s8(four), 0), left);
        y += 4;
        words = (const int32_t *)(const void *)w;
    }
}

#endif
