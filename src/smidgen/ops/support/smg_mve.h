/* smg_mve.h: requantisation in vectors of four sums, for Arm cores with MVE (Helium).
 *
 * Exact: equals smg_requantize and the clamp, lane by lane. VQRDMULH is the high product with ties
 * upwards; VRSHL shifts with ties upwards too, so that a negative number is made one smaller
 * before, which turns its ties away from zero. Where the clamp keeps nothing below the zero point
 * (`up`) that changes no result and is left out; `up` also says that no shift goes to the left.
 */
#ifndef SMG_MVE_H
#define SMG_MVE_H

#include <arm_mve.h>

#include "smg.h"

/* How the sums of four outputs become quanta; `words` is a vector each of bias, mantissa and right
 * shift (as a negative number), and where not `up` of left shift too. The bias is in the sums. */
SMG_INLINE int32x4_t smg_mve_scale(int32x4_t sum, const int32_t *words, bool up) {
    if (!up) {
        sum = vshlq_s32(sum, vldrwq_s32(words + 12));
    }
    const int32x4_t right = vldrwq_s32(words + 8);
    sum = vqrdmulhq_s32(sum, vldrwq_s32(words + 4));
    if (!up) {
        sum = vqaddq_s32(sum, vshrq_n_s32(vandq_s32(sum, right), 31));
    }
    return vrshlq_s32(sum, right);
}

/* As smg_mve_scale, for sums without the bias. */
SMG_INLINE int32x4_t smg_mve_requantize(int32x4_t sum, const int32_t *words, bool up) {
    return smg_mve_scale(vaddq_s32(sum, vldrwq_s32(words)), words, up);
}

/* The words of four outputs. */
#define SMG_MVE_WORDS(up) ((up) ? 12 : 16)

/* Where two vectors of four outputs go, lanes in turn: to y, and to y + apart. */
SMG_INLINE uint16x8_t smg_mve_offsets(int32_t apart) {
    const uint16x8_t lane = vidupq_n_u16(0u, 1);
    const uint16x8_t odd = vandq_u16(lane, vdupq_n_u16(1u));
    return vaddq_u16(vshrq_n_u16(lane, 1), vmulq_n_u16(odd, (uint16_t)apart));
}

/* Adds the zero point and clamps; lanes of a and b in turn. */
SMG_INLINE int16x8_t smg_mve_finish(int32x4_t a, int32x4_t b, int32_t zero_point, int16x8_t low,
                                    int16x8_t high) {
    int16x8_t both = vqmovnbq_s32(vreinterpretq_s16_s32(a), a);
    both = vqmovntq_s32(both, b);
    both = vqaddq_n_s16(both, (int16_t)zero_point);
    return vmaxq_s16(vminq_s16(both, high), low);
}

/* Copies bytes between places that do not overlap. */
SMG_INLINE void smg_mve_copy(int8_t *to, const int8_t *from, int32_t count) {
    for (int32_t left = count; left > 0; left -= 16) {
        const mve_pred16_t some = vctp8q((uint32_t)left);
        vstrbq_p_s8(to, vldrbq_z_s8(from, some), some);
        from += 16;
        to += 16;
    }
}

SMG_INLINE void smg_mve_fill(int8_t *to, int32_t value, int32_t count) {
    for (int32_t left = count; left > 0; left -= 16) {
        vstrbq_p_s8(to, vdupq_n_s8((int8_t)value), vctp8q((uint32_t)left));
        to += 16;
    }
}

#endif
