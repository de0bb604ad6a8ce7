/* smg_add_s8_mve: elementwise sum of int8 tensors of one shape, or with one operand repeated, for
 * Arm cores with MVE (Helium).
 *
 * As smg_add_s8.h, four elements at a time; no shift goes to the left. VRSHL rounds ties upwards,
 * so that negative numbers are made one smaller before each shift. Exact: equals the reference of
 * Add bit for bit. Scratch: none. Four elements are written after their reads and before those of
 * the next four: y may be a or lie before it, and b too if period = count.
 */
#ifndef SMG_ADD_S8_MVE_H
#define SMG_ADD_S8_MVE_H

#include "smg_add_s8.h"
#include "smg_mve.h"

SMG_INLINE int32x4_t smg_add_s8_mve_scale(int32x4_t x, int32_t mantissa, int32_t shift) {
    x = vqrdmulhq_n_s32(x, mantissa);
    const int32x4_t negative = vandq_s32(vshrq_n_s32(x, 31), vdupq_n_s32(shift >> 31));
    return vrshlq_n_s32(vaddq_s32(x, negative), shift);
}

SMG_INLINE int32x4_t smg_add_s8_mve_operand(int32x4_t quanta, int32_t zero_point, int32_t finer,
                                            int32_t mantissa, int32_t shift) {
    const int32x4_t centred = vsubq_n_s32(quanta, zero_point);
    return smg_add_s8_mve_scale(vshlq_r_s32(centred, finer), mantissa, shift);
}

SMG_KERNEL void smg_add_s8_mve(const smg_add_s8_t *op, const int8_t *a, const int8_t *b,
                               int8_t *y) {
    const int32x4_t low = vdupq_n_s32(op->low), high = vdupq_n_s32(op->high);
    for (int32_t done = 0; done < op->count; done += op->period) {
        const int8_t *other = b;
        for (int32_t left = op->period; left > 0; left -= 4) {
            const mve_pred16_t some = vctp32q((uint32_t)left);
            const int32x4_t first = smg_add_s8_mve_operand(vldrbq_z_s32(a, some), op->a_zero_point,
                                                           op->shift, op->a_mantissa, op->a_shift);
            const int32x4_t second =
                smg_add_s8_mve_operand(vldrbq_z_s32(other, some), op->b_zero_point, op->shift,
                                       op->b_mantissa, op->b_shift);
            int32x4_t sum = vaddq_s32(first, second);
            sum = smg_add_s8_mve_scale(sum, op->out_mantissa, op->out_shift);
            sum = vaddq_n_s32(sum, op->out_zero_point);
            vstrbq_p_s32(y, vmaxq_s32(vminq_s32(sum, high), low), some);
            const int32_t made = smg_min(left, 4);
            a += made;
            other += made;
            y += made;
        }
    }
}

#endif
