/* smg_rsqrt_s16: 1 / sqrt(x) of int16 quanta.
 *
 * y = clamp(zp_y + requant(1 / sqrt(x - zp_x))), the root by five Newton steps, finer by 20 bits.
 * Where x is not above zero, the largest quantum. Exact: equals the reference of Rsqrt bit for bit.
 * Scratch: none. y may be x.
 */
#ifndef SMG_RSQRT_S16_H
#define SMG_RSQRT_S16_H

#include "smg_inverse_root.h"

typedef struct {
    int32_t count, zero_point, out_zero_point, mantissa, shift;
} smg_rsqrt_s16_t;

SMG_INLINE int32_t smg_rsqrt_s16_one(const smg_rsqrt_s16_t *op, int32_t value) {
    if (value <= 0) {
        return INT16_MAX;
    }
    int32_t shift;
    const int32_t root = smg_inverse_root(value, &shift);
    const int32_t fine = smg_requantize(1, root, shift + 20);
    const int32_t scaled = smg_requantize(fine, op->mantissa, op->shift);
    return smg_clamp(scaled + op->out_zero_point, INT16_MIN, INT16_MAX);
}

SMG_KERNEL void smg_rsqrt_s16(const smg_rsqrt_s16_t *op, const int16_t *x, int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = (int16_t)smg_rsqrt_s16_one(op, x[i] - op->zero_point);
    }
}

#endif
