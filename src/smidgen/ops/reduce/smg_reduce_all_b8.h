/* smg_reduce_all_b8: whether all are true along axes.
 *
 * Exact: equals the reference of ReduceAll. Scratch: none. y may be x, or lie below.
 */
#ifndef SMG_REDUCE_ALL_B8_H
#define SMG_REDUCE_ALL_B8_H

#include "smg_loops.h"

SMG_KERNEL void smg_reduce_all_b8(const smg_reduce_t *op, const bool *x, bool *y) {
    SMG_LOOPS(&op->kept, from, {
        bool all = true;
        SMG_LOOPS(&op->reduced, at, all = all && x[from + at]);
        *y++ = all;
    })
}

#endif
