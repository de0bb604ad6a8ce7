/* smg_dense_s8: fully connected layer on int8.
 *
 * y[n,o] = clamp(zp_y + requant(b'[o] + sum_i w'[o,i] * x[n,i]))
 *
 * b' has -zp_x * sum(w') folded in; a weight zero point other than 0 is taken off at run time
 * through the sum of x. Exact: equals the reference of Dense bit for bit. Scratch: none.
 * x and y are disjoint.
 */
#ifndef SMG_DENSE_S8_H
#define SMG_DENSE_S8_H

#include "smg.h"

typedef struct {
    int32_t rows, depth, outputs;
    int32_t weight_zero_point, out_zero_point, low, high;
    int32_t per_channel; /* 0: one mantissa and shift for all outputs, 1: one each */
    const SMG_ROM int8_t *weights;
    const SMG_ROM int32_t *bias;
    const SMG_ROM int32_t *mantissas;
    const SMG_ROM int8_t *shifts;
} smg_dense_s8_t;

SMG_KERNEL void smg_dense_s8(const smg_dense_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        const SMG_ROM int8_t *weights = op->weights;
        for (int32_t o = 0; o < op->outputs; ++o) {
            int32_t sum = op->bias[o];
            for (int32_t i = 0; i < op->depth; ++i) {
                sum += (*weights++ - op->weight_zero_point) * x[i];
            }
            const int32_t q = o * op->per_channel;
            sum = smg_requantize(sum, op->mantissas[q], op->shifts[q]) + op->out_zero_point;
            *y++ = (int8_t)smg_clamp(sum, op->low, op->high);
        }
        x += op->depth;
    }
}

#endif
