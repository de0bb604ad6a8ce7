/* smg_sigmoid_layer_s16: logistic and tanh of int16 quanta, outputs of scale 1/32768.
 *
 * y = f((x * multiplier + half) >> shift), interpolated in a table (see smg_sigmoid_s16.h).
 * Exact: equals the references of Logistic and Tanh bit for bit. Scratch: none. y may be x.
 */
#ifndef SMG_SIGMOID_LAYER_S16_H
#define SMG_SIGMOID_LAYER_S16_H

#include "smg_sigmoid_s16.h"

typedef struct {
    int32_t count, multiplier, shift;
    const SMG_ROM uint16_t *table; /* 256 entries */
} smg_sigmoid_layer_s16_t;

/* x in steps of the table, with a fraction. */
SMG_INLINE int32_t smg_sigmoid_layer_s16_steps(const smg_sigmoid_layer_s16_t *op, int32_t x) {
    const int32_t half = op->shift > 0 ? (int32_t)1 << (op->shift - 1) : 0;
    return (x * op->multiplier + half) >> op->shift;
}

SMG_KERNEL void smg_logistic_layer_s16(const smg_sigmoid_layer_s16_t *op, const int16_t *x,
                                       int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = (int16_t)smg_sigmoid_s16(op->table, smg_sigmoid_layer_s16_steps(op, x[i]));
    }
}

SMG_KERNEL void smg_tanh_layer_s16(const smg_sigmoid_layer_s16_t *op, const int16_t *x,
                                   int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = (int16_t)smg_tanh_s16(op->table, smg_sigmoid_layer_s16_steps(op, x[i]));
    }
}

#endif
