/* smg_leaky_relu: x where it is positive, else alpha x, on int16 quanta and on float32.
 *
 * int16: y = clamp(zp_y + requant(x - zp_x)) with one multiplier for each side of zero.
 * Exact: equals the reference of LeakyRelu bit for bit. Scratch: none. y may be x.
 */
#ifndef SMG_LEAKY_RELU_H
#define SMG_LEAKY_RELU_H

#include "smg.h"

typedef struct {
    int32_t count, zero_point, out_zero_point;
    int32_t above_mantissa, above_shift, below_mantissa, below_shift;
} smg_leaky_relu_s16_t;

typedef struct {
    int32_t count;
    float alpha;
} smg_leaky_relu_f32_t;

SMG_KERNEL void smg_leaky_relu_s16(const smg_leaky_relu_s16_t *op, const int16_t *x, int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        const int32_t value = x[i] - op->zero_point;
        const int32_t scaled = value >= 0
                                   ? smg_requantize(value, op->above_mantissa, op->above_shift)
                                   : smg_requantize(value, op->below_mantissa, op->below_shift);
        y[i] = (int16_t)smg_clamp(scaled + op->out_zero_point, INT16_MIN, INT16_MAX);
    }
}

SMG_KERNEL void smg_leaky_relu_f32(const smg_leaky_relu_f32_t *op, const float *x, float *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = x[i] > 0.0f ? x[i] : x[i] * op->alpha;
    }
}

#endif
