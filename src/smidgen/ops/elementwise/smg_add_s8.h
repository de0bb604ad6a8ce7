/* smg_add_s8: elementwise sum of int8 tensors of one shape, or with one operand repeated.
 *
 * y = clamp(zp_y + requant(requant(a - zp_a, m_a) + requant(b - zp_b, m_b), m_y)), where both
 * operands are first brought to a common scale that is finer by 2^shift.
 * b has `period` elements and is walked again and again (period = count for equal shapes).
 * Exact: equals the reference of Add bit for bit. Scratch: none. y may be a, or b if period =
 * count.
 */
#ifndef SMG_ADD_S8_H
#define SMG_ADD_S8_H

#include "smg.h"

typedef struct {
    int32_t count, period;
    int32_t shift;
    int32_t a_zero_point, a_mantissa, a_shift;
    int32_t b_zero_point, b_mantissa, b_shift;
    int32_t out_zero_point, out_mantissa, out_shift, low, high;
} smg_add_s8_t;

SMG_KERNEL void smg_add_s8(const smg_add_s8_t *op, const int8_t *a, const int8_t *b, int8_t *y) {
    int32_t at = 0;
    for (int32_t i = 0; i < op->count; ++i) {
        const int32_t left = (a[i] - op->a_zero_point) * ((int32_t)1 << op->shift);
        const int32_t right = (b[at] - op->b_zero_point) * ((int32_t)1 << op->shift);
        const int32_t sum = smg_requantize(left, op->a_mantissa, op->a_shift) +
                            smg_requantize(right, op->b_mantissa, op->b_shift);
        const int32_t scaled = smg_requantize(sum, op->out_mantissa, op->out_shift);
        y[i] = (int8_t)smg_clamp(scaled + op->out_zero_point, op->low, op->high);
        at = at + 1 == op->period ? 0 : at + 1;
    }
}

#endif
