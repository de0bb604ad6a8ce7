/* smg_integers: a + b, a - b, a * b, a / b and the remainder with the sign of b, on plain integers
 * of 32 and 64 bits, with broadcasting.
 *
 * Results wrap; a quotient truncates; a / 0 and the remainder of a / 0 are 0. Exact: equals the
 * references of Add, Sub, Mul, Div and FloorMod. Scratch: none. y may be an operand that is as
 * large as y is.
 */
#ifndef SMG_INTEGERS_H
#define SMG_INTEGERS_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
} smg_integers_t;

#define SMG_INTEGER_FUNCTION(name, type, value)                                                    \
    SMG_INLINE type name##_one(const smg_integers_t *op, type a, type b) {                         \
        (void)op;                                                                                  \
        return value;                                                                              \
    }                                                                                              \
    SMG_BINARY_KERNEL(name, smg_integers_t, type, type, type)

/* Sums and products are those of the unsigned type, which wraps. */
#define SMG_WRAPPING(suffix, type, wraps)                                                          \
    SMG_INTEGER_FUNCTION(smg_add_##suffix, type, (type)((wraps)a + (wraps)b))                      \
    SMG_INTEGER_FUNCTION(smg_sub_##suffix, type, (type)((wraps)a - (wraps)b))                      \
    SMG_INTEGER_FUNCTION(smg_mul_##suffix, type, (type)((wraps)a * (wraps)b))

#define SMG_UNSIGNED_DIVISION(suffix, type)                                                        \
    SMG_INTEGER_FUNCTION(smg_div_##suffix, type, b == 0 ? 0 : a / b)                               \
    SMG_INTEGER_FUNCTION(smg_floor_mod_##suffix, type, b == 0 ? 0 : a % b)

/* The smallest number over -1 wraps to itself. */
#define SMG_SIGNED_QUOTIENT(suffix, type, wraps)                                                   \
    SMG_INTEGER_FUNCTION(smg_div_##suffix, type,                                                   \
                         b == 0 ? 0 : (b == -1 ? (type)(0 - (wraps)a) : a / b))

#define SMG_SIGNED_REMAINDER(suffix, type)                                                         \
    SMG_INTEGER_FUNCTION(                                                                          \
        smg_floor_mod_##suffix, type,                                                              \
        b == 0 || b == -1 ? 0 : a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0))

SMG_WRAPPING(u32, uint32_t, uint32_t)
SMG_WRAPPING(s64, int64_t, uint64_t)
SMG_WRAPPING(u64, uint64_t, uint64_t)
SMG_UNSIGNED_DIVISION(u32, uint32_t)
SMG_UNSIGNED_DIVISION(u64, uint64_t)
SMG_SIGNED_QUOTIENT(s64, int64_t, uint64_t)
SMG_SIGNED_REMAINDER(s32, int32_t)
SMG_SIGNED_REMAINDER(s64, int64_t)

#endif
