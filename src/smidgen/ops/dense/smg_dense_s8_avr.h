/* smg_dense_s8_avr: fully connected layer on int8 for 8-bit AVR, symmetric weights.
 *
 * y[n,o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[n,i]))
 *
 * b' has -zp_x * sum(w) folded in. Exact: equals the reference of Dense bit for bit. Scratch: none.
 * x and y are disjoint.
 */
#ifndef SMG_DENSE_S8_AVR_H
#define SMG_DENSE_S8_AVR_H

#include "smg_avr.h"

typedef struct {
    int16_t rows, depth, outputs;
    int16_t out_zero_point, low, high;
    int16_t per_channel; /* 0: one mantissa and shift for all outputs, 1: one each */
    const SMG_ROM int8_t *weights;
    const SMG_ROM int32_t *bias;
    const SMG_ROM int32_t *mantissas;
    const SMG_ROM int8_t *shifts;
} smg_dense_s8_avr_t;

SMG_KERNEL void smg_dense_s8_avr(const smg_dense_s8_avr_t *op, const int8_t *x, int8_t *y) {
    for (int n = 0; n < op->rows; ++n) {
        const SMG_ROM int8_t *weights = op->weights;
        for (int o = 0; o < op->outputs; ++o) {
            const int q = o * op->per_channel;
            const int32_t sum = smg_avr_dot(op->bias[o], x, weights, (uint16_t)op->depth);
            const int32_t quantum = smg_requantize(sum, op->mantissas[q], op->shifts[q]);
            *y++ = (int8_t)smg_clamp(quantum + op->out_zero_point, op->low, op->high);
            weights += op->depth;
        }
        x += op->depth;
    }
}

#endif
