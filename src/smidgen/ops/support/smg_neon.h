/* smg_neon.h: requantisation in vectors of four sums, for AArch64 cores with Advanced SIMD (NEON).
 *
 * Exact: equals smg_requantize and the clamp, lane by lane. SQRDMULH is the high product with ties
 * upwards; SRSHL by a negative number shifts to the right with ties upwards too, so that a negative
 * number is made one smaller before, which turns its ties away from zero. Where the clamp keeps
 * nothing below the zero point (`up`) that changes no result and is left out; `up` also says that
 * no shift goes to the left. Reads and writes nothing but what its callers name. Alignment: none.
 */
#ifndef SMG_NEON_H
#define SMG_NEON_H

#include "smg.h"
#include "smg_rolled.h"

#if !defined(__aarch64__) || !defined(__ARM_NEON)
#error "made for a core with AArch64's Advanced SIMD: compile the model anew for this one"
#endif
#include <arm_neon.h>

typedef struct {
    int32_t zero_point, low, high;
} smg_finish_neon_t;

/* The words of four outputs: vectors of bias, mantissa, right shift (as a negative number) and left
 * shift. */
#define SMG_NEON_WORDS 16

/* Four sums, bias included, as quanta that still lack the zero point. */
SMG_INLINE int32x4_t smg_neon_requantize(int32x4_t sums, const int32_t *words, bool up) {
    const int32x4_t mantissas = vld1q_s32(words + 4), right = vld1q_s32(words + 8);
    if (up) {
        return vrshlq_s32(vqrdmulhq_s32(sums, mantissas), right);
    }
    sums = vqrdmulhq_s32(vshlq_s32(sums, vld1q_s32(words + 12)), mantissas);
    sums = vqaddq_s32(sums, vshrq_n_s32(vandq_s32(sums, right), 31));
    return vrshlq_s32(sums, right);
}

/* Adds the zero point to eight quanta. */
SMG_INLINE int16x8_t smg_neon_shifted(const smg_finish_neon_t *op, int32x4_t a, int32x4_t b) {
    const int16x8_t both = vqmovn_high_s32(vqmovn_s32(a), b);
    return vqaddq_s16(both, vdupq_n_s16((int16_t)op->zero_point));
}

/* Eight outputs from quanta that still lack the zero point. */
SMG_INLINE int8x8_t smg_neon_eight(const smg_finish_neon_t *op, int32x4_t a, int32x4_t b) {
    const int8x8_t all = vqmovn_s16(smg_neon_shifted(op, a, b));
    return vmax_s8(vmin_s8(all, vdup_n_s8((int8_t)op->high)), vdup_n_s8((int8_t)op->low));
}

/* Sixteen outputs from quanta that still lack the zero point. */
SMG_INLINE int8x16_t smg_neon_sixteen(const smg_finish_neon_t *op, int32x4_t a, int32x4_t b,
                                      int32x4_t c, int32x4_t d) {
    const int8x8_t first = vqmovn_s16(smg_neon_shifted(op, a, b));
    const int8x16_t all = vqmovn_high_s16(first, smg_neon_shifted(op, c, d));
    return vmaxq_s8(vminq_s8(all, vdupq_n_s8((int8_t)op->high)), vdupq_n_s8((int8_t)op->low));
}

/* Copies bytes between places that do not overlap. */
SMG_INLINE void smg_neon_copy(int8_t *to, const int8_t *from, int32_t count) {
    SMG_ROLLED
    for (; count >= 16; count -= 16) {
        vst1q_s8(to, vld1q_s8(from));
        to += 16;
        from += 16;
    }
    for (int32_t part = 8; part > 0; part >>= 1) {
        if ((count & part) != 0) {
            memcpy(to, from, (size_t)part);
            to += part;
            from += part;
        }
    }
}

/* The first `count` < 8 values of eight; the others are 0. */
SMG_INLINE int8x8_t smg_neon_load_some(const int8_t *from, int32_t count) {
    uint64_t bits = 0;
    while (count > 0) {
        bits = (bits << 8) | (uint8_t)from[--count];
    }
    return vcreate_s8(bits);
}

/* The first `count` < 8 values of eight. */
SMG_INLINE void smg_neon_store_some(int8_t *to, int8x8_t values, int32_t count) {
    uint64_t bits = vget_lane_u64(vreinterpret_u64_s8(values), 0);
    for (; count > 0; --count) {
        *to++ = (int8_t)(uint8_t)bits;
        bits >>= 8;
    }
}

/* The first `count` < 16 values of sixteen; the others are 0. */
SMG_INLINE int8x16_t smg_neon_load_upto(const int8_t *from, int32_t count) {
    int8_t values[16] = {0};
    smg_neon_copy(values, from, count);
    return vld1q_s8(values);
}

/* The first `count` values of sixteen, or all of them. */
SMG_INLINE void smg_neon_store_upto(int8_t *to, int8x16_t values, int32_t count) {
    if (count >= 16) {
        vst1q_s8(to, values);
    } else {
        int8_t copy[16];
        vst1q_s8(copy, values);
        smg_neon_copy(to, copy, count);
    }
}

#endif
