/* smg_matmul_q: batched matrix product of int8 or int16 activations.
 *
 * y[n,r,c] = finish(sum_k (a[n,r,k] - zp_a) * (b[n,k,c] - zp_b))
 *
 * Either matrix may lie transposed. Exact: equals the reference of BatchMatMul bit for bit.
 * Scratch: none. y is disjoint from a and b.
 */
#ifndef SMG_MATMUL_Q_H
#define SMG_MATMUL_Q_H

#include "smg_finish.h"
#include "smg_matmul.h"
#include "smg_quanta.h"

typedef struct {
    smg_matmul_t shape;
    int32_t a_zero_point, b_zero_point;
    smg_finish_t finish;
} smg_matmul_q_t;

SMG_INLINE void smg_matmul_q(const smg_matmul_q_t *op, const void *a, const void *b, int32_t bits,
                             bool wide, void *y) {
    const smg_matmul_t *s = &op->shape;
    int32_t at = 0;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t r = 0; r < s->rows; ++r) {
            const smg_run_t row = {a, bits, s->a_starts[n] + r * s->a_row, op->a_zero_point};
            for (int32_t c = 0; c < s->cols; ++c) {
                const smg_run_t col = {b, bits, s->b_starts[n] + c * s->b_col, op->b_zero_point};
                const int64_t sum = smg_dot_steps(row, s->a_step, col, s->b_step, s->depth);
                smg_store(y, bits, at++, smg_finish(&op->finish, sum, 0, wide));
            }
        }
    }
}

SMG_KERNEL void smg_matmul_q8(const smg_matmul_q_t *op, const int8_t *a, const SMG_ANY int8_t *b,
                              int8_t *y) {
    smg_matmul_q(op, a, b, 8, false, y);
}

SMG_KERNEL void smg_matmul_q16(const smg_matmul_q_t *op, const int16_t *a, const SMG_ANY int16_t *b,
                               int16_t *y) {
    smg_matmul_q(op, a, b, 16, true, y);
}

#endif
