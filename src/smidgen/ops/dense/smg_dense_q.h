/* smg_dense_q: fully connected layer on int8 or int16, with int8 or int4 weights.
 *
 * y[n,o] = finish(b[o] + sum_i (w[o,i] - zp_w) * (x[n,i] - zp_x))
 *
 * Exact: equals the reference of Dense bit for bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_DENSE_Q_H
#define SMG_DENSE_Q_H

#include "smg_finish.h"
#include "smg_quanta.h"

typedef struct {
    int32_t rows, depth, outputs;
    int32_t zero_point, weight_zero_point;
    smg_finish_t finish;
} smg_dense_q_t;

SMG_INLINE void smg_dense_q(const smg_dense_q_t *op, const void *x, int32_t bits,
                            const void *weights, int32_t weight_bits, bool wide, void *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        const smg_run_t row = {x, bits, n * op->depth, op->zero_point};
        for (int32_t o = 0; o < op->outputs; ++o) {
            const smg_run_t with = {weights, weight_bits, o * op->depth, op->weight_zero_point};
            const int64_t sum = smg_dot_runs(row, with, op->depth);
            smg_store(y, bits, n * op->outputs + o, smg_finish(&op->finish, sum, o, wide));
        }
    }
}

// clang-format off
SMG_KERNEL void smg_dense_q8(const smg_dense_q_t *op, const int8_t *x, const SMG_ANY int8_t *weights,
                             int8_t *y) {
    smg_dense_q(op, x, 8, weights, 8, false, y);
}

SMG_KERNEL void smg_dense_q8_w4(const smg_dense_q_t *op, const int8_t *x, const SMG_ANY uint8_t *weights,
                                int8_t *y) {
    smg_dense_q(op, x, 8, weights, 4, false, y);
}

SMG_KERNEL void smg_dense_q16(const smg_dense_q_t *op, const int16_t *x, const SMG_ANY int8_t *weights,
                              int16_t *y) {
    smg_dense_q(op, x, 16, weights, 8, false, y);
}

SMG_KERNEL void smg_dense_q16_wide(const smg_dense_q_t *op, const int16_t *x, const SMG_ANY int8_t *weights,
                                   int16_t *y) {
    smg_dense_q(op, x, 16, weights, 8, true, y);
}
// clang-format on

#endif
