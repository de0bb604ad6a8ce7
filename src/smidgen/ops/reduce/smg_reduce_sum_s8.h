/* smg_reduce_sum_s8: sums or means of int8 along axes.
 *
 * y = clamp(zp_y + requant(sum (x - zp_x))); a mean has its count in the multiplier.
 * Exact: equals the references of Mean and Sum bit for bit; sums wrap at 32 bits. Scratch: none.
 * y may be x, or lie below it.
 */
#ifndef SMG_REDUCE_SUM_S8_H
#define SMG_REDUCE_SUM_S8_H

#include "smg_reduce_sum.h"

SMG_KERNEL void smg_reduce_sum_s8(const smg_reduce_sum_t *op, const int8_t *x, int8_t *y) {
    SMG_LOOPS(&op->kept, from, {
        uint32_t sum = 0;
        SMG_LOOPS(&op->reduced, at, {
            const int32_t element = x[from + at];
            sum += (uint32_t)element;
        });
        *y++ = (int8_t)smg_reduce_sum_finish(op, sum, INT8_MIN, INT8_MAX);
    })
}

#endif
