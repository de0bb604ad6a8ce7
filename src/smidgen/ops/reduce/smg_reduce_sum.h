/* smg_reduce_sum: what the sums of quanta share. */
#ifndef SMG_REDUCE_SUM_H
#define SMG_REDUCE_SUM_H

#include "smg_loops.h"

/* `offset` is minus the zero point of x, times the number of elements that become one. */
typedef struct {
    smg_loops_t kept, reduced;
    int32_t offset, mantissa, shift, out_zero_point;
} smg_reduce_sum_t;

/* The output quantum of a sum that wraps at 32 bits, between `low` and `high`. */
SMG_INLINE int32_t smg_reduce_sum_finish(const smg_reduce_sum_t *op, uint32_t sum, int32_t low,
                                         int32_t high) {
    const int32_t centred = (int32_t)(sum + (uint32_t)op->offset);
    const int32_t scaled = smg_requantize(centred, op->mantissa, op->shift);
    return smg_clamp(scaled + op->out_zero_point, low, high);
}

#endif
