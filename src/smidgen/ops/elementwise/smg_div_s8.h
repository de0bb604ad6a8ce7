/* smg_div_s8: quotient of int8 quanta, with broadcasting.
 *
 * y = clamp(zp_y + requant((a - zp_a) / (b - zp_b))), with the divisor's reciprocal by three Newton
 * steps. A divisor of 0, and a quotient with no bit left, give zp_y.
 * Exact: equals the reference of Div bit for bit. Scratch: none. y may be an operand that is as
 * large as y is.
 */
#ifndef SMG_DIV_S8_H
#define SMG_DIV_S8_H

#include "smg_binary.h"
#include "smg_reciprocal.h"

typedef struct {
    smg_walk_t walk;
    int32_t a_zero_point, b_zero_point;
    int32_t out_zero_point, mantissa, shift, low, high;
} smg_div_s8_t;

/* a / b, scaled by the op's factor; b > 0. */
SMG_INLINE int32_t smg_div_s8_quotient(const smg_div_s8_t *op, int32_t a, int32_t b) {
    const int32_t zeros = smg_leading_zeros((uint32_t)b);
    const int32_t inverse =
        smg_one_over_one_plus_q31((int32_t)(((uint32_t)b << zeros) - 0x80000000u));
    const int32_t headroom = smg_leading_zeros((uint32_t)(a < 0 ? -a - 1 : a)) - 1;
    const int32_t unscaled = smg_high_mul((int32_t)((uint32_t)a << headroom), inverse);
    const int32_t scaled = smg_high_mul(unscaled, op->mantissa);
    const int32_t shift = headroom + 31 - zeros - op->shift;
    if (shift < 0) {
        return (int32_t)((uint32_t)scaled << -shift);
    }
    return shift > 31 ? 0 : smg_rounding_shift(scaled, shift);
}

SMG_INLINE int8_t smg_div_s8_one(const smg_div_s8_t *op, int8_t a, int8_t b) {
    const int32_t numerator = a - op->a_zero_point;
    const int32_t divisor = b - op->b_zero_point;
    int32_t quotient = 0;
    if (divisor > 0) {
        quotient = smg_div_s8_quotient(op, numerator, divisor);
    } else if (divisor < 0) {
        quotient = smg_div_s8_quotient(op, -numerator, -divisor);
    }
    return (int8_t)smg_clamp(quotient + op->out_zero_point, op->low, op->high);
}

SMG_BINARY_KERNEL(smg_div_s8, smg_div_s8_t, int8_t, int8_t, int8_t)

#endif
