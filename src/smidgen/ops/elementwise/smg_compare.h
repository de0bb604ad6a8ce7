/* smg_compare: the relations == != > >= < <= on plain numbers, with broadcasting.
 *
 * Exact: equals the reference of Compare. Scratch: none. y may be an 8-bit operand that is as large
 * as y is.
 */
#ifndef SMG_COMPARE_H
#define SMG_COMPARE_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
} smg_compare_t;

#define SMG_RELATION(name, type, symbol)                                                           \
    SMG_INLINE bool smg_##name##_one(const smg_compare_t *op, type a, type b) {                    \
        (void)op;                                                                                  \
        return a symbol b;                                                                         \
    }                                                                                              \
    SMG_BINARY_KERNEL(smg_##name, smg_compare_t, type, type, bool)

#define SMG_RELATIONS(suffix, type)                                                                \
    SMG_RELATION(equal_##suffix, type, ==)                                                         \
    SMG_RELATION(not_equal_##suffix, type, !=)                                                     \
    SMG_RELATION(greater_##suffix, type, >)                                                        \
    SMG_RELATION(greater_equal_##suffix, type, >=)                                                 \
    SMG_RELATION(less_##suffix, type, <)                                                           \
    SMG_RELATION(less_equal_##suffix, type, <=)

SMG_RELATIONS(bool, bool)
SMG_RELATIONS(s8, int8_t)
SMG_RELATIONS(u8, uint8_t)
SMG_RELATIONS(s16, int16_t)
SMG_RELATIONS(u16, uint16_t)
SMG_RELATIONS(s32, int32_t)
SMG_RELATIONS(u32, uint32_t)
SMG_RELATIONS(s64, int64_t)
SMG_RELATIONS(u64, uint64_t)
SMG_RELATIONS(f32, float)

#endif
