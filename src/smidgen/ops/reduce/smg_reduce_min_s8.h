/* smg_reduce_min_s8: the smallest of int8 along axes.
 *
 * Exact: equals the reference of ReduceMin. Scratch: none. y may be x, or lie below it.
 */
#ifndef SMG_REDUCE_MIN_S8_H
#define SMG_REDUCE_MIN_S8_H

#include "smg_loops.h"

SMG_KERNEL void smg_reduce_min_s8(const smg_reduce_t *op, const int8_t *x, int8_t *y) {
    SMG_LOOPS(&op->kept, from, {
        int8_t best = x[from];
        SMG_LOOPS(&op->reduced, at, best = x[from + at] < best ? x[from + at] : best);
        *y++ = best;
    })
}

#endif
