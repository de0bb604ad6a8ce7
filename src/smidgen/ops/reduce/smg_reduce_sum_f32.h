/* smg_reduce_sum_f32: sums or means of floats along axes.
 *
 * y = sum x / divisor, added one by one in row-major order, each step rounded to float.
 * Exact: equals the references of Mean and Sum bit for bit. Scratch: none. y may be x, or lie
 * below.
 */
#ifndef SMG_REDUCE_SUM_F32_H
#define SMG_REDUCE_SUM_F32_H

#include "smg_loops.h"

typedef struct {
    smg_loops_t kept, reduced;
    float divisor;
} smg_reduce_sum_f32_t;

SMG_KERNEL void smg_reduce_sum_f32(const smg_reduce_sum_f32_t *op, const float *x, float *y) {
    SMG_LOOPS(&op->kept, from, {
        float sum = 0.0f;
        SMG_LOOPS(&op->reduced, at, sum += x[from + at]);
        *y++ = sum / op->divisor;
    })
}

#endif
