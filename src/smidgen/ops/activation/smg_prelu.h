/* smg_prelu: x where it is positive, else alpha x, with broadcasting of alpha.
 *
 * Quanta: y = clamp(zp_y + requant(x - zp_x)), or requant((x - zp_x) * (alpha - zp_alpha)) below.
 * Exact: equals the reference of Prelu bit for bit. Scratch: none. y may be x, if as large.
 */
#ifndef SMG_PRELU_H
#define SMG_PRELU_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
    int32_t a_zero_point, b_zero_point, out_zero_point;
    int32_t above_mantissa, above_shift, below_mantissa, below_shift;
} smg_prelu_t;

typedef struct {
    smg_walk_t walk;
} smg_prelu_f32_t;

SMG_INLINE int32_t smg_prelu_one(const smg_prelu_t *op, int32_t x, int32_t alpha) {
    const int32_t value = x - op->a_zero_point;
    const int32_t scaled = value >= 0 ? smg_requantize(value, op->above_mantissa, op->above_shift)
                                      : smg_requantize(value * (alpha - op->b_zero_point),
                                                       op->below_mantissa, op->below_shift);
    return scaled + op->out_zero_point;
}

SMG_INLINE int8_t smg_prelu_s8_one(const smg_prelu_t *op, int8_t x, int8_t alpha) {
    return (int8_t)smg_clamp(smg_prelu_one(op, x, alpha), INT8_MIN, INT8_MAX);
}

SMG_INLINE int16_t smg_prelu_s16_one(const smg_prelu_t *op, int16_t x, int8_t alpha) {
    return (int16_t)smg_clamp(smg_prelu_one(op, x, alpha), INT16_MIN, INT16_MAX);
}

SMG_INLINE float smg_prelu_f32_one(const smg_prelu_f32_t *op, float x, float alpha) {
    (void)op;
    return x >= 0.0f ? x : x * alpha;
}

SMG_BINARY_KERNEL(smg_prelu_s8, smg_prelu_t, int8_t, int8_t, int8_t)
SMG_BINARY_KERNEL(smg_prelu_s16, smg_prelu_t, int16_t, int8_t, int16_t)
SMG_BINARY_KERNEL(smg_prelu_f32, smg_prelu_f32_t, float, float, float)

#endif
