/* smg_add_s8_plane_neon: elementwise sum of int8 tensors of one shape, or with one operand
 * repeated, for AArch64 cores with Advanced SIMD (NEON).
 *
 * As smg_add_s8_plane.h, sixteen elements at a time; the last of each period may be fewer.
 * Exact: equals the reference of Add for all 65536 pairs. Scratch: none. Sixteen elements are
 * written after their reads and before those of the next: y may be a or lie before it, and b too if
 * period = count.
 */
#ifndef SMG_ADD_S8_PLANE_NEON_H
#define SMG_ADD_S8_PLANE_NEON_H

#include "smg_add_s8_plane.h"
#include "smg_neon.h"

SMG_INLINE int32x4_t smg_add_s8_plane_neon_four(const smg_add_s8_plane_t *op, int16x4_t a,
                                                int16x4_t b) {
    int32x4_t sums = vdupq_n_s32(op->intercept);
    sums = vmlaq_s32(sums, vmovl_s16(a), vdupq_n_s32(op->a_slope));
    sums = vmlaq_s32(sums, vmovl_s16(b), vdupq_n_s32(op->b_slope));
    return vshlq_s32(sums, vdupq_n_s32(-op->shift));
}

SMG_INLINE int16x8_t smg_add_s8_plane_neon_eight(const smg_add_s8_plane_t *op, int8x8_t a,
                                                 int8x8_t b) {
    const int16x8_t wide_a = vmovl_s8(a), wide_b = vmovl_s8(b);
    const int32x4_t low =
        smg_add_s8_plane_neon_four(op, vget_low_s16(wide_a), vget_low_s16(wide_b));
    const int32x4_t high =
        smg_add_s8_plane_neon_four(op, vget_high_s16(wide_a), vget_high_s16(wide_b));
    return vqmovn_high_s32(vqmovn_s32(low), high);
}

SMG_INLINE int8x16_t smg_add_s8_plane_neon_16(const smg_add_s8_plane_t *op, int8x16_t a,
                                              int8x16_t b) {
    const int16x8_t low = smg_add_s8_plane_neon_eight(op, vget_low_s8(a), vget_low_s8(b));
    const int16x8_t high = smg_add_s8_plane_neon_eight(op, vget_high_s8(a), vget_high_s8(b));
    const int8x16_t all = vqmovn_high_s16(vqmovn_s16(low), high);
    return vmaxq_s8(vminq_s8(all, vdupq_n_s8((int8_t)op->high)), vdupq_n_s8((int8_t)op->low));
}

SMG_KERNEL void smg_add_s8_plane_neon(const smg_add_s8_plane_t *params, const int8_t *a,
                                      const int8_t *b, int8_t *y) {
    const smg_add_s8_plane_t local = *params, *const op = &local;
    for (int32_t done = 0; done < op->count; done += op->period) {
        const int8_t *other = b;
        int32_t left = op->period;
        SMG_ROLLED
        for (; left >= 16; left -= 16) {
            vst1q_s8(y, smg_add_s8_plane_neon_16(op, vld1q_s8(a), vld1q_s8(other)));
            a += 16;
            other += 16;
            y += 16;
        }
        if (left > 0) {
            const int8x16_t first = smg_neon_load_upto(a, left);
            const int8x16_t last = smg_neon_load_upto(other, left);
            smg_neon_store_upto(y, smg_add_s8_plane_neon_16(op, first, last), left);
            a += left;
            y += left;
        }
    }
}

#endif
