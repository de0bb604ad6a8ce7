/* smg_compare_scaled: the relations == != > >= < <= on int8 or int16 quanta, with broadcasting.
 *
 * Both operands are brought to real values in fixed point: requant((x - zp) * 2^8, scale).
 * Exact: equals the reference of Compare. Scratch: none. y may be an int8 operand that is as large
 * as y is.
 */
#ifndef SMG_COMPARE_SCALED_H
#define SMG_COMPARE_SCALED_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
    int32_t a_zero_point, a_mantissa, a_shift;
    int32_t b_zero_point, b_mantissa, b_shift;
} smg_compare_scaled_t;

#define SMG_SCALED_RELATION(name, type, symbol)                                                    \
    SMG_INLINE bool smg_scaled_##name##_one(const smg_compare_scaled_t *op, type a, type b) {      \
        const int32_t left =                                                                       \
            smg_requantize((a - op->a_zero_point) * 256, op->a_mantissa, op->a_shift);             \
        const int32_t right =                                                                      \
            smg_requantize((b - op->b_zero_point) * 256, op->b_mantissa, op->b_shift);             \
        return left symbol right;                                                                  \
    }                                                                                              \
    SMG_BINARY_KERNEL(smg_scaled_##name, smg_compare_scaled_t, type, type, bool)

#define SMG_SCALED_RELATIONS(suffix, type)                                                         \
    SMG_SCALED_RELATION(equal_##suffix, type, ==)                                                  \
    SMG_SCALED_RELATION(not_equal_##suffix, type, !=)                                              \
    SMG_SCALED_RELATION(greater_##suffix, type, >)                                                 \
    SMG_SCALED_RELATION(greater_equal_##suffix, type, >=)                                          \
    SMG_SCALED_RELATION(less_##suffix, type, <)                                                    \
    SMG_SCALED_RELATION(less_equal_##suffix, type, <=)

SMG_SCALED_RELATIONS(s8, int8_t)
SMG_SCALED_RELATIONS(s16, int16_t)

#endif
