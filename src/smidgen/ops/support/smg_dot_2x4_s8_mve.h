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

/* clang-format off */
/* Both columns against sixteen weights of each of four outputs. The sums are in even registers, the
 * first column's in r0, r2, r4 and r6. */
#define SMG_DOT_2X4_STEP(multiply)          \
    "vldrb.u8 %q[a], [%[u]], #16\n"         \
    "vldrb.u8 %q[s], [%[w]], #64\n"         \
    "vldrb.u8 %q[b], [%[v]], #16\n"         \
    multiply " r0, %q[a], %q[s]\n"          \
    "vldrb.u8 %q[t], [%[w], #-48]\n"        \
    multiply " r8, %q[b], %q[s]\n"          \
    multiply " r2, %q[a], %q[t]\n"          \
    "vldrb.u8 %q[s], [%[w], #-32]\n"        \
    multiply " r10, %q[b], %q[t]\n"         \
    multiply " r4, %q[a], %q[s]\n"          \
    "vldrb.u8 %q[t], [%[w], #-16]\n"        \
    multiply " r12, %q[b], %q[s]\n"         \
    multiply " r6, %q[a], %q[t]\n"          \
    multiply " lr, %q[b], %q[t]\n"

/* The first step sets the sums; the others go by twos, after one alone where they are odd in number. */
#define SMG_DOT_2X4_SUMS                    \
    SMG_DOT_2X4_STEP("vmladav.s8")          \
    "subs %[n], #1\n"                       \
    "beq 3f\n"                              \
    "lsrs %[n], %[n], #1\n"                 \
    "bcc 2f\n"                              \
    SMG_DOT_2X4_STEP("vmladava.s8")         \
    "beq 3f\n"                              \
    "2:\n"                                  \
    SMG_DOT_2X4_STEP("vmladava.s8")         \
    SMG_DOT_2X4_STEP("vmladava.s8")         \
    "subs %[n], #1\n"                       \
    "bne 2b\n"                              \
    "3:\n"                                  \
    "vmov %q[a][2], %q[a][0], r0, r4\n"     \
    "vmov %q[a][3], %q[a][1], r2, r6\n"     \
    "vmov %q[b][2], %q[b][0], r8, r12\n"    \
    "vmov %q[b][3], %q[b][1], r10, lr\n"
/* clang-format on */

/* Sums of four outputs; gives where the weights end. steps >= 1. */
SMG_INLINE const int32_t *smg_dot_2x4_s8_mve_sums(const int8_t *u, const int8_t *v,
                                                  const int32_t *w, int32_t steps, int32x4_t *a,
                                                  int32x4_t *b) {
    int32x4_t first, second, s, t;
    __asm__ volatile(SMG_DOT_2X4_SUMS
                     : [a] "=&w"(first), [b] "=&w"(second), [s] "=&w"(s), [t] "=&w"(t),
                       [u] "+&r"(u), [v] "+&r"(v), [w] "+&r"(w), [n] "+&r"(steps)
                     :
                     : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "cc", "memory");
    *a = first;
    *b = second;
    return w;
}

/* The second column's outputs go to y + apart; `apart` is 0 where there is only one column, twice.
 */
SMG_INLINE void smg_dot_2x4_s8_mve(const smg_dot_s8_mve_t *op, const int8_t *x, int8_t *y,
                                   int32_t apart, bool up) {
    const int16x8_t low = vdupq_n_s16((int16_t)op->low);
    const int16x8_t high = vdupq_n_s16((int16_t)op->high);
    const uint16x8_t offsets = smg_mve_offsets(apart);
    const int32_t steps = op->steps, zero_point = op->out_zero_point;
    const int8_t *const second = apart == 0 ? x : x + 16 * steps;
    const int32_t *words = op->blocks;
    for (int32_t lanes = 2 * op->outputs; lanes > 0; lanes -= 8) {
        int32x4_t a, b;
        const int32_t *const next =
            smg_dot_2x4_s8_mve_sums(x, second, words + SMG_MVE_WORDS(up), steps, &a, &b);
        a = smg_mve_requantize(a, words, up);
        b = smg_mve_requantize(b, words, up);
        const int16x8_t both = smg_mve_finish(a, b, zero_point, low, high);
        vstrbq_scatter_offset_p_s16(y, offsets, both, vctp16q((uint32_t)lanes));
        y += 4;
        words = next;
    }
}

#endif
