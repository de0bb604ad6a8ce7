/* smg_abs_s16: magnitude of int16 quanta.
 *
 * y = clamp(zp_y + requant(|x - zp_x|)). Exact: equals the reference of Abs bit for bit. Scratch:
 * none. y may be x.
 */
#ifndef SMG_ABS_S16_H
#define SMG_ABS_S16_H

#include "smg.h"

typedef struct {
    int32_t count, zero_point, out_zero_point, mantissa, shift;
} smg_abs_s16_t;

SMG_KERNEL void smg_abs_s16(const smg_abs_s16_t *op, const int16_t *x, int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        const int32_t value = x[i] - op->zero_point;
        const int32_t scaled = smg_requantize(value < 0 ? -value : value, op->mantissa, op->shift);
        y[i] = (int16_t)smg_clamp(scaled + op->out_zero_point, INT16_MIN, INT16_MAX);
    }
}

#endif
