/* smg_arithmetic_s32: a + b, a - b, a * b, a / b and (a - b)^2 on int32, with broadcasting.
 *
 * y = clamp(a op b); results wrap at 32 bits, a quotient truncates, and a / 0 is 0.
 * Exact: equals the references of Add, Sub, Mul, Div and SquaredDifference. Scratch: none. y may be
 * an operand that is as large as y is.
 */
#ifndef SMG_ARITHMETIC_S32_H
#define SMG_ARITHMETIC_S32_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
    int32_t low, high;
} smg_arithmetic_s32_t;

SMG_INLINE int32_t smg_add_s32_one(const smg_arithmetic_s32_t *op, int32_t a, int32_t b) {
    return smg_clamp((int32_t)((uint32_t)a + (uint32_t)b), op->low, op->high);
}

SMG_INLINE int32_t smg_sub_s32_one(const smg_arithmetic_s32_t *op, int32_t a, int32_t b) {
    return smg_clamp((int32_t)((uint32_t)a - (uint32_t)b), op->low, op->high);
}

SMG_INLINE int32_t smg_mul_s32_one(const smg_arithmetic_s32_t *op, int32_t a, int32_t b) {
    return smg_clamp((int32_t)((uint32_t)a * (uint32_t)b), op->low, op->high);
}

SMG_INLINE int32_t smg_div_s32_one(const smg_arithmetic_s32_t *op, int32_t a, int32_t b) {
    int32_t quotient = 0;
    if (b == -1) {
        quotient = (int32_t)(0u - (uint32_t)a);
    } else if (b != 0) {
        quotient = a / b;
    }
    return smg_clamp(quotient, op->low, op->high);
}

SMG_INLINE int32_t smg_squared_difference_s32_one(const smg_arithmetic_s32_t *op, int32_t a,
                                                  int32_t b) {
    const uint32_t difference = (uint32_t)a - (uint32_t)b;
    return smg_clamp((int32_t)(difference * difference), op->low, op->high);
}

SMG_BINARY_KERNEL(smg_add_s32, smg_arithmetic_s32_t, int32_t, int32_t, int32_t)
SMG_BINARY_KERNEL(smg_sub_s32, smg_arithmetic_s32_t, int32_t, int32_t, int32_t)
SMG_BINARY_KERNEL(smg_mul_s32, smg_arithmetic_s32_t, int32_t, int32_t, int32_t)
SMG_BINARY_KERNEL(smg_div_s32, smg_arithmetic_s32_t, int32_t, int32_t, int32_t)
SMG_BINARY_KERNEL(smg_squared_difference_s32, smg_arithmetic_s32_t, int32_t, int32_t, int32_t)

#endif
