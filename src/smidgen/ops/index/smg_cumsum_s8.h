/* smg_cumsum_s8: running sums of int8 along an axis.
 *
 * y = clamp(zp_y + requant(start + sum requant((x - zp_x) << shift))), the sum without the element
 * itself if `exclusive`. Exact: equals the reference of CumSum bit for bit; sums wrap at 32 bits.
 * Scratch: none. y may be x.
 */
#ifndef SMG_CUMSUM_S8_H
#define SMG_CUMSUM_S8_H

#include "smg_cumsum.h"

typedef struct {
    smg_cumsum_t walk;
    int32_t start, shift, zero_point, mantissa, exponent;
    int32_t out_mantissa, out_shift, out_zero_point;
} smg_cumsum_s8_t;

/* One sum, all along the axis. */
SMG_INLINE void smg_cumsum_s8_column(const smg_cumsum_s8_t *op, const int8_t *x, int8_t *y) {
    uint32_t sum = (uint32_t)op->start;
    for (int32_t i = 0; i < op->walk.extent; ++i) {
        const int32_t at = op->walk.first + i * op->walk.step;
        const int32_t fine = (x[at] - op->zero_point) * ((int32_t)1 << op->shift);
        const uint32_t before = sum;
        sum += (uint32_t)smg_requantize(fine, op->mantissa, op->exponent);
        const int32_t taken = (int32_t)(op->walk.exclusive ? before : sum);
        const int32_t scaled = smg_requantize(taken, op->out_mantissa, op->out_shift);
        y[at] = (int8_t)smg_clamp(scaled + op->out_zero_point, INT8_MIN, INT8_MAX);
    }
}

SMG_KERNEL void smg_cumsum_s8(const smg_cumsum_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t o = 0; o < op->walk.outer; ++o) {
        for (int32_t i = 0; i < op->walk.inner; ++i) {
            const int32_t column = o * op->walk.extent * op->walk.inner + i;
            smg_cumsum_s8_column(op, x + column, y + column);
        }
    }
}

#endif
