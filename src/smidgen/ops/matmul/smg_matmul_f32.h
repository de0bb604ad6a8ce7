/* smg_matmul_f32: batched matrix product of float32 activations.
 *
 * y[n,r,c] = sum_k a[n,r,k] * b[n,k,c], summed in float32 in the order of k, without contraction.
 *
 * Either matrix may lie transposed. Within 1e-5 of the largest output of the reference, which
 * computes in float64. Scratch: none. y is disjoint from a and b.
 */
#ifndef SMG_MATMUL_F32_H
#define SMG_MATMUL_F32_H

#include "smg_matmul.h"

SMG_INLINE float smg_matmul_f32_dot(const smg_matmul_t *op, const float *row, const float *col) {
    float sum = 0.0f;
    for (int32_t k = 0; k < op->depth; ++k) {
        sum += row[k * op->a_step] * col[k * op->b_step];
    }
    return sum;
}

SMG_KERNEL void smg_matmul_f32(const smg_matmul_t *op, const float *a, const float *b, float *y) {
    for (int32_t n = 0; n < op->batches; ++n) {
        for (int32_t r = 0; r < op->rows; ++r) {
            const float *row = a + op->a_starts[n] + r * op->a_row;
            for (int32_t c = 0; c < op->cols; ++c) {
                *y++ = smg_matmul_f32_dot(op, row, b + op->b_starts[n] + c * op->b_col);
            }
        }
    }
}

#endif
