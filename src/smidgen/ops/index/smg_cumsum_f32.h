/* smg_cumsum_f32: running sums of floats along an axis, each step rounded to float.
 *
 * The sum is without the element itself if `exclusive`. Exact: equals the reference of CumSum bit
 * for bit. Scratch: none. y may be x.
 */
#ifndef SMG_CUMSUM_F32_H
#define SMG_CUMSUM_F32_H

#include "smg_cumsum.h"

SMG_KERNEL void smg_cumsum_f32(const smg_cumsum_t *op, const float *x, float *y) {
    for (int32_t o = 0; o < op->outer; ++o) {
        for (int32_t i = 0; i < op->inner; ++i) {
            int32_t at = o * op->extent * op->inner + i + op->first;
            float sum = 0.0f;
            for (int32_t n = 0; n < op->extent; ++n) {
                const float before = sum;
                sum += x[at];
                y[at] = op->exclusive ? before : sum;
                at += op->step;
            }
        }
    }
}

#endif
