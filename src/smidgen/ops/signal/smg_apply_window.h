/* smg_apply_window: int16 frames times a window.
 *
 * y[n,i] = saturate(x[n,i] * w[i] >> shift)
 *
 * Exact: equals the reference of ApplyWindow bit for bit. Scratch: none. y may be x.
 */
#ifndef SMG_APPLY_WINDOW_H
#define SMG_APPLY_WINDOW_H

#include "smg.h"

typedef struct {
    int32_t rows, length, shift;
} smg_apply_window_t;

SMG_KERNEL void smg_apply_window(const smg_apply_window_t *op, const int16_t *x,
                                 const int16_t *weights, int16_t *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        for (int32_t i = 0; i < op->length; ++i) {
            const int32_t product = (int32_t)*x++ * weights[i] >> op->shift;
            *y++ = (int16_t)smg_clamp(product, INT16_MIN, INT16_MAX);
        }
    }
}

#endif
