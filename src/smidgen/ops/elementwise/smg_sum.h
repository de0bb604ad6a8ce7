/* smg_sum: sum or difference of int8 or int16 quanta, with broadcasting.
 *
 * y = clamp(zp_y + requant(requant(a - zp_a, m_a) +- requant(b - zp_b, m_b), m_y)), where both
 * operands are first brought to a common scale that is finer by 2^shift. `sign` is 1 or -1.
 * Exact: equals the references of Add and Sub bit for bit. Scratch: none. y may be an operand that
 * is as large as y is.
 */
#ifndef SMG_SUM_H
#define SMG_SUM_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
    int32_t sign, shift;
    int32_t a_zero_point, a_mantissa, a_shift;
    int32_t b_zero_point, b_mantissa, b_shift;
    int32_t out_zero_point, out_mantissa, out_shift, low, high;
} smg_sum_t;

SMG_INLINE int32_t smg_sum_one(const smg_sum_t *op, int32_t a, int32_t b) {
    const int32_t unit = (int32_t)1 << op->shift;
    const int32_t left = smg_requantize((a - op->a_zero_point) * unit, op->a_mantissa, op->a_shift);
    const int32_t right =
        smg_requantize((b - op->b_zero_point) * unit, op->b_mantissa, op->b_shift);
    const int32_t scaled = smg_requantize(left + op->sign * right, op->out_mantissa, op->out_shift);
    return smg_clamp(scaled + op->out_zero_point, op->low, op->high);
}

SMG_INLINE int8_t smg_sum_s8_one(const smg_sum_t *op, int8_t a, int8_t b) {
    return (int8_t)smg_sum_one(op, a, b);
}

SMG_INLINE int16_t smg_sum_s16_one(const smg_sum_t *op, int16_t a, int16_t b) {
    return (int16_t)smg_sum_one(op, a, b);
}

SMG_BINARY_KERNEL(smg_sum_s8, smg_sum_t, int8_t, int8_t, int8_t)
SMG_BINARY_KERNEL(smg_sum_s16, smg_sum_t, int16_t, int16_t, int16_t)

#endif
