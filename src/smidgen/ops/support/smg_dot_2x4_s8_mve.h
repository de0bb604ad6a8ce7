/* smg_dot_2x4_s8_mve: two columns of int8 values against all outputs of a layer, with MVE.
 *
 * y[p,o] = clamp(zp_y + requant(b[o] + sum_k w[o,k] * x[p,k])), for p = 0 and 1
 *
 * A column has 16 * steps values; where the layer has fewer, their weights are 0. `blocks` holds,
 * for every four outputs, the words of smg_mve_requantize, and then for each step 16 weights of
 * each. The inner loop is assembly: eight sums need all even registers, so that none is left for
 * LE. Exact: equals the reference bit for bit. x and y are disjoint. Alignment: none.
 */
#ifndef SMG_DOT_2X4_S8_MVE_H
#define SMG_DOT_2X4_S8_MVE_H

#include "smg_mve.h"

typedef struct {
    int32_t steps, outputs;
    int32_t out_zero_point, low, high;
    const int32_t *blocks;
} smg_dot_s8_mve_t;

/* Both columns against sixteen weights of each of four outputs. */
#define SMG_DOT_2X4_STEP(multiply)                                                                 \
    "vldrb.u8 q0, [%[u]], #16\n"                                                                   \
    "vldrb.u8 q2, [%[w]], #64\n" multiply " %[a0], q0, q2\n"                                       \
    "vldrb.u8 q1, [%[v]], #16\n" multiply " %[b0], q1, q2\n"                                       \
    "vldrb.u8 q3, [%[w], #-48]\n" multiply " %[a1], q0, q3\n" multiply " %[b1], q1, q3\n"          \
    "vldrb.u8 q2, [%[w], #-32]\n" multiply " %[a2], q0, q2\n" multiply " %[b2], q1, q2\n"          \
    "vldrb.u8 q3, [%[w], #-16]\n" multiply " %[a3], q0, q3\n" multiply " %[b3], q1, q3\n"

/* Sums of four outputs; gives where the weights end. steps >= 1. */
SMG_INLINE const int32_t *smg_dot_2x4_s8_mve_sums(const int8_t *u, const int8_t *v,
                                                  const int32_t *w, int32_t steps, int32x4_t *a,
                                                  int32x4_t *b) {
    int32_t a0, a1, a2, a3, b0, b1, b2, b3;
    __asm__ volatile(SMG_DOT_2X4_STEP("vmladav.s8") /* the first step sets the sums */
                     "subs %[n], #1\n"
                     "beq 2f\n"
                     "1:\n" SMG_DOT_2X4_STEP("vmladava.s8") "subs %[n], #1\n"
                                                            "bne 1b\n"
                                                            "2:\n"
                     : [a0] "=&Te"(a0), [a1] "=&Te"(a1), [a2] "=&Te"(a2), [a3] "=&Te"(a3),
                       [b0] "=&Te"(b0), [b1] "=&Te"(b1), [b2] "=&Te"(b2), [b3] "=&Te"(b3),
                       [u] "+r"(u), [v] "+r"(v), [w] "+r"(w), [n] "+r"(steps)
                     :
                     : "q0", "q1", "q2", "q3", "cc", "memory");
    *a = (int32x4_t){a0, a1, a2, a3};
    *b = (int32x4_t){b0, b1, b2, b3};
    return w;
}

/* The second column's outputs go to y + apart; `apart` is 0 where there is only one column, twice.
 */
SMG_INLINE void smg_dot_2x4_s8_mve(const smg_dot_s8_mve_t *op, const int8_t *x, int8_t *y,
                                   int32_t apart, bool up) {
    const int16x8_t low = vdupq_n_s16((int16_t)op->low);
    const int16x8_t high = vdupq_n_s16((int16_t)op->high);
    const uint16x8_t offsets = smg_mve_offsets(apart);
    const int8_t *const second = apart == 0 ? x : x + 16 * op->steps;
    const int32_t *words = op->blocks;
    for (int32_t left = op->outputs; left > 0; left -= 4) {
        int32x4_t a, b;
        const int32_t *const next =
            smg_dot_2x4_s8_mve_sums(x, second, words + SMG_MVE_WORDS(up), op->steps, &a, &b);
        a = smg_mve_requantize(a, words, up);
        b = smg_mve_requantize(b, words, up);
        const int16x8_t both = smg_mve_finish(a, b, op->out_zero_point, low, high);
        vstrbq_scatter_offset_p_s16(y, offsets, both, vctp16q((uint32_t)(2 * left)));
        y += 4;
        words = next;
    }
}

#endif
