/* smg_mul: product of int8 or int16 quanta, with broadcasting.
 *
 * y = clamp(zp_y + requant((a - zp_a) * (b - zp_b))).
 * Exact: equals the reference of Mul bit for bit. Scratch: none. y may be an operand that is as
 * large as y is.
 */
#ifndef SMG_MUL_H
#define SMG_MUL_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
    int32_t a_zero_point, b_zero_point;
    int32_t out_zero_point, mantissa, shift, low, high;
} smg_mul_t;

SMG_INLINE int32_t smg_mul_one(const smg_mul_t *op, int32_t a, int32_t b) {
    const int32_t product = (a - op->a_zero_point) * (b - op->b_zero_point);
    const int32_t scaled = smg_requantize(product, op->mantissa, op->shift);
    return smg_clamp(scaled + op->out_zero_point, op->low, op->high);
}

SMG_INLINE int8_t smg_mul_s8_one(const smg_mul_t *op, int8_t a, int8_t b) {
    return (int8_t)smg_mul_one(op, a, b);
}

SMG_INLINE int16_t smg_mul_s16_one(const smg_mul_t *op, int16_t a, int16_t b) {
    return (int16_t)smg_mul_one(op, a, b);
}

SMG_BINARY_KERNEL(smg_mul_s8, smg_mul_t, int8_t, int8_t, int8_t)
SMG_BINARY_KERNEL(smg_mul_s16, smg_mul_t, int16_t, int16_t, int16_t)

#endif
