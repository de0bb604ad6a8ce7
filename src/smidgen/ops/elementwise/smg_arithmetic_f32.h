/* smg_arithmetic_f32: a + b, a - b, a * b, a / b and (a - b)^2 on float32, with broadcasting.
 *
 * y = clamp(a op b), each operation rounded to float32; NaN passes.
 * Exact: equals the references of Add, Sub, Mul, Div and SquaredDifference. Scratch: none. y may be
 * an operand that is as large as y is.
 */
#ifndef SMG_ARITHMETIC_F32_H
#define SMG_ARITHMETIC_F32_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
    float low, high;
} smg_arithmetic_f32_t;

SMG_INLINE float smg_arithmetic_f32_clamp(const smg_arithmetic_f32_t *op, float x) {
    return x < op->low ? op->low : (x > op->high ? op->high : x);
}

SMG_INLINE float smg_add_f32_one(const smg_arithmetic_f32_t *op, float a, float b) {
    return smg_arithmetic_f32_clamp(op, a + b);
}

SMG_INLINE float smg_sub_f32_one(const smg_arithmetic_f32_t *op, float a, float b) {
    return smg_arithmetic_f32_clamp(op, a - b);
}

SMG_INLINE float smg_mul_f32_one(const smg_arithmetic_f32_t *op, float a, float b) {
    return smg_arithmetic_f32_clamp(op, a * b);
}

SMG_INLINE float smg_div_f32_one(const smg_arithmetic_f32_t *op, float a, float b) {
    return smg_arithmetic_f32_clamp(op, a / b);
}

SMG_INLINE float smg_squared_difference_f32_one(const smg_arithmetic_f32_t *op, float a, float b) {
    const float difference = a - b;
    return smg_arithmetic_f32_clamp(op, difference * difference);
}

SMG_BINARY_KERNEL(smg_add_f32, smg_arithmetic_f32_t, float, float, float)
SMG_BINARY_KERNEL(smg_sub_f32, smg_arithmetic_f32_t, float, float, float)
SMG_BINARY_KERNEL(smg_mul_f32, smg_arithmetic_f32_t, float, float, float)
SMG_BINARY_KERNEL(smg_div_f32, smg_arithmetic_f32_t, float, float, float)
SMG_BINARY_KERNEL(smg_squared_difference_f32, smg_arithmetic_f32_t, float, float, float)

#endif
