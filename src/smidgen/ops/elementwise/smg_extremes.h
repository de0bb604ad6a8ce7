/* smg_extremes: the smaller or larger of two elements, with broadcasting; quanta share one scale.
 *
 * Exact: equals the references of Minimum and Maximum; against NaN the second operand is taken.
 * Scratch: none. y may be an operand that is as large as y is.
 */
#ifndef SMG_EXTREMES_H
#define SMG_EXTREMES_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
} smg_extremes_t;

#define SMG_EXTREMES(suffix, type)                                                                 \
    SMG_INLINE type smg_minimum_##suffix##_one(const smg_extremes_t *op, type a, type b) {         \
        (void)op;                                                                                  \
        return a < b ? a : b;                                                                      \
    }                                                                                              \
    SMG_INLINE type smg_maximum_##suffix##_one(const smg_extremes_t *op, type a, type b) {         \
        (void)op;                                                                                  \
        return a > b ? a : b;                                                                      \
    }                                                                                              \
    SMG_BINARY_KERNEL(smg_minimum_##suffix, smg_extremes_t, type, type, type)                      \
    SMG_BINARY_KERNEL(smg_maximum_##suffix, smg_extremes_t, type, type, type)

SMG_EXTREMES(s8, int8_t)
SMG_EXTREMES(u8, uint8_t)
SMG_EXTREMES(s16, int16_t)
SMG_EXTREMES(u16, uint16_t)
SMG_EXTREMES(s32, int32_t)
SMG_EXTREMES(u32, uint32_t)
SMG_EXTREMES(s64, int64_t)
SMG_EXTREMES(u64, uint64_t)
SMG_EXTREMES(f32, float)

#endif
