/* smg_delay: a stream of int16 samples, delayed.
 *
 * The oldest samples of the kept ones and those of this run are given out, the others are kept.
 *
 * Exact: equals the reference of Delay bit for bit. Scratch: none. The state is updated where it
 * lies; it, x and y are disjoint.
 */
#ifndef SMG_DELAY_H
#define SMG_DELAY_H

#include "smg.h"

typedef struct {
    int32_t rows, count, length;
} smg_delay_t;

SMG_INLINE int16_t smg_delay_sample(const smg_delay_t *op, const int16_t *kept, const int16_t *x,
                                    int32_t index) {
    return index < op->length ? kept[index] : x[index - op->length];
}

SMG_KERNEL void smg_delay(const smg_delay_t *op, const int16_t *x, int16_t *y, int16_t *kept) {
    for (int32_t row = 0; row < op->rows; ++row) {
        for (int32_t i = 0; i < op->count; ++i) {
            *y++ = smg_delay_sample(op, kept, x, i);
        }
        for (int32_t i = 0; i < op->length; ++i) {
            kept[i] = smg_delay_sample(op, kept, x, op->count + i);
        }
        x += op->count;
        kept += op->length;
    }
}

#endif
