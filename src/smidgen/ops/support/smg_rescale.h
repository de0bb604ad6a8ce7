/* smg_rescale: quanta of one type and scale as quanta of another, clamped.
 *
 * y = clamp(zp_y + requant(x - zp_x)). smg_rescale_<from>_<to>.
 * Exact: equals the references of Quantize and Clamp bit for bit. Scratch: none. y may be x where
 * both types are one, or one of them is 8 bits wide and y is not the wider one.
 */
#ifndef SMG_RESCALE_H
#define SMG_RESCALE_H

#include "smg.h"

typedef struct {
    int32_t count, zero_point, out_zero_point, mantissa, shift, low, high;
} smg_rescale_t;

#define SMG_RESCALE(from, to, from_t, to_t)                                                        \
    SMG_KERNEL void smg_rescale_##from##_##to(const smg_rescale_t *op, const from_t *x, to_t *y) { \
        for (int32_t i = 0; i < op->count; ++i) {                                                  \
            const int32_t value = (int32_t)((uint32_t)x[i] - (uint32_t)op->zero_point);            \
            const int32_t scaled = smg_requantize(value, op->mantissa, op->shift);                 \
            const int32_t moved = (int32_t)((uint32_t)scaled + (uint32_t)op->out_zero_point);      \
            y[i] = (to_t)smg_clamp(moved, op->low, op->high);                                      \
        }                                                                                          \
    }

#define SMG_RESCALE_FROM(from, from_t)                                                             \
    SMG_RESCALE(from, s8, from_t, int8_t)                                                          \
    SMG_RESCALE(from, u8, from_t, uint8_t)                                                         \
    SMG_RESCALE(from, s16, from_t, int16_t)                                                        \
    SMG_RESCALE(from, s32, from_t, int32_t)

SMG_RESCALE_FROM(s8, int8_t)
SMG_RESCALE_FROM(u8, uint8_t)
SMG_RESCALE_FROM(s16, int16_t)
SMG_RESCALE_FROM(s32, int32_t)

#endif
