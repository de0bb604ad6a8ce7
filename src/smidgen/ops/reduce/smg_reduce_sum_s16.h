/* smg_reduce_sum_s16: sums or means of int16 along axes.
 *
 * y = clamp(zp_y + requant(sum (x - zp_x))); a mean has its count in the multiplier.
 * Exact: equals the references of Mean and Sum bit for bit; sums wrap at 32 bits. Scratch: none.
 * y may be x, or lie below it.
 */
#ifndef SMG_REDUCE_SUM_S16_H
#define SMG_REDUCE_SUM_S16_H

#include "smg_reduce_sum.h"

SMG_KERNEL void smg_reduce_sum_s16(const smg_reduce_sum_t *op, const int16_t *x, int16_t *y) {
    SMG_LOOPS(&op->kept, from, {
        uint32_t sum = 0;
        SMG_LOOPS(&op->reduced, at, {
            const int32_t element = x[from + at];
            sum += (uint32_t)element;
        });
        *y++ = (int16_t)smg_reduce_sum_finish(op, sum, INT16_MIN, INT16_MAX);
    })
}

#endif
