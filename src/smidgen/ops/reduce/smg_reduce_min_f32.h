/* smg_reduce_min_f32: the smallest of floats along axes.
 *
 * Exact: equals the reference of ReduceMin. Scratch: none. y may be x, or lie below.
 */
#ifndef SMG_REDUCE_MIN_F32_H
#define SMG_REDUCE_MIN_F32_H

#include "smg_loops.h"

SMG_KERNEL void smg_reduce_min_f32(const smg_reduce_t *op, const float *x, float *y) {
    SMG_LOOPS(&op->kept, from, {
        float best = x[from];
        SMG_LOOPS(&op->reduced, at, best = x[from + at] < best ? x[from + at] : best);
        *y++ = best;
    })
}

#endif
