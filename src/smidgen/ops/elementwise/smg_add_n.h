/* smg_add_n: sum of up to eight tensors of one shape and scale, int8 quanta or float32.
 *
 * Unused inputs repeat another one and are not read. int8: y = clamp(zp_y + requant(2^19 * (sum of
 * (x - zp_x) - zp_x))): the last zp_x is TensorFlow Lite Micro's. float32: added in order.
 * Exact: equals the reference of AddN. Scratch: none. y may be any of the inputs.
 */
#ifndef SMG_ADD_N_H
#define SMG_ADD_N_H

#include "smg.h"

typedef struct {
    int32_t count, inputs;
    int32_t x_zero_point, out_zero_point, mantissa, shift;
} smg_add_n_s8_t;

typedef struct {
    int32_t count, inputs;
} smg_add_n_f32_t;

SMG_KERNEL void smg_add_n_s8(const smg_add_n_s8_t *op, const int8_t *x0, const int8_t *x1,
                             const int8_t *x2, const int8_t *x3, const int8_t *x4, const int8_t *x5,
                             const int8_t *x6, const int8_t *x7, int8_t *y) {
    const int8_t *const x[8] = {x0, x1, x2, x3, x4, x5, x6, x7};
    for (int32_t i = 0; i < op->count; ++i) {
        int32_t sum = -op->x_zero_point;
        for (int32_t n = 0; n < op->inputs; ++n) {
            sum += x[n][i] - op->x_zero_point;
        }
        const int32_t scaled = smg_requantize(sum * (INT32_C(1) << 19), op->mantissa, op->shift);
        y[i] = (int8_t)smg_clamp(scaled + op->out_zero_point, INT8_MIN, INT8_MAX);
    }
}

SMG_KERNEL void smg_add_n_f32(const smg_add_n_f32_t *op, const float *x0, const float *x1,
                              const float *x2, const float *x3, const float *x4, const float *x5,
                              const float *x6, const float *x7, float *y) {
    const float *const x[8] = {x0, x1, x2, x3, x4, x5, x6, x7};
    for (int32_t i = 0; i < op->count; ++i) {
        float sum = 0.0f;
        for (int32_t n = 0; n < op->inputs; ++n) {
            sum += x[n][i];
        }
        y[i] = sum;
    }
}

#endif
