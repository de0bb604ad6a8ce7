/* smg_dense_f32: fully connected layer on float32, with float32 weights or quantised ones.
 *
 * y[n,o] = clamp(b[o] + scale[o] * sum_i w[o,i] * x[n,i])
 *
 * Accuracy: see smg_real.h. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_DENSE_F32_H
#define SMG_DENSE_F32_H

#include "smg_real.h"

typedef struct {
    int32_t rows, depth, outputs;
    smg_real_t finish;
} smg_dense_f32_t;

SMG_INLINE void smg_dense_real(const smg_dense_f32_t *op, const float *x, const void *weights,
                               int32_t bits, float *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        for (int32_t o = 0; o < op->outputs; ++o) {
            const float sum = smg_dot_real(&op->finish, 0.0f, x + n * op->depth, weights, bits,
                                           o * op->depth, op->depth);
            *y++ = smg_finish_real(&op->finish, sum, o);
        }
    }
}

// clang-format off
SMG_KERNEL void smg_dense_f32(const smg_dense_f32_t *op, const float *x, const SMG_ANY float *weights,
                              float *y) {
    smg_dense_real(op, x, weights, 32, y);
}

SMG_KERNEL void smg_dense_f32_w8(const smg_dense_f32_t *op, const float *x, const SMG_ANY int8_t *weights,
                                 float *y) {
    smg_dense_real(op, x, weights, 8, y);
}

SMG_KERNEL void smg_dense_f32_w4(const smg_dense_f32_t *op, const float *x, const SMG_ANY uint8_t *weights,
                                 float *y) {
    smg_dense_real(op, x, weights, 4, y);
}
// clang-format on

#endif
