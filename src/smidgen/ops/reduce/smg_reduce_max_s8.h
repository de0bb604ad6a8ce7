/* smg_reduce_max_s8: the largest of int8 along axes.
 *
 * Exact: equals the reference of ReduceMax. Scratch: none. y may be x, or lie below it.
 */
#ifndef SMG_REDUCE_MAX_S8_H
#define SMG_REDUCE_MAX_S8_H

#include "smg_loops.h"

SMG_KERNEL void smg_reduce_max_s8(const smg_reduce_t *op, const int8_t *x, int8_t *y) {
    SMG_LOOPS(&op->kept, from, {
        int8_t best = x[from];
        SMG_LOOPS(&op->reduced, at, best = x[from + at] > best ? x[from + at] : best);
        *y++ = best;
    })
}

#endif
