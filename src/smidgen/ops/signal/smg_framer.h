/* smg_framer: overlapping frames of a stream of int16 samples.
 *
 * A frame is the oldest `size` of the kept samples and the next `step` ones. It is whole once that
 * many samples have come; `whole` says whether all frames of this run are.
 *
 * Exact: equals the reference of Framer bit for bit. Scratch: none. The state is updated where it
 * lies; it, x and y are disjoint.
 */
#ifndef SMG_FRAMER_H
#define SMG_FRAMER_H

#include "smg.h"

typedef struct {
    int32_t rows, frames, size, step;
    int32_t kept, row_stride; /* samples kept for each row, and where the next row's lie */
} smg_framer_t;

/* Sample `index` of the kept samples followed by those of this run. */
SMG_INLINE int16_t smg_framer_sample(const smg_framer_t *op, const int16_t *kept, const int16_t *x,
                                     int32_t index) {
    return index < op->kept ? kept[index] : x[index - op->kept];
}

SMG_KERNEL void smg_framer(const smg_framer_t *op, const int16_t *x, int16_t *y, bool *whole,
                           int16_t *kept, int32_t *count) {
    for (int32_t row = 0; row < op->rows; ++row) {
        for (int32_t frame = 0; frame < op->frames; ++frame) {
            for (int32_t i = 0; i < op->size; ++i) {
                *y++ = smg_framer_sample(op, kept, x, frame * op->step + i);
            }
        }
        for (int32_t i = 0; i < op->kept; ++i) {
            kept[i] = smg_framer_sample(op, kept, x, op->frames * op->step + i);
        }
        x += op->frames * op->step;
        kept += op->row_stride;
    }
    *whole = true;
    for (int32_t frame = 0; frame < op->frames; ++frame) {
        if (*count + op->step < op->size) {
            *count += op->step;
            *whole = false;
        }
    }
}

#endif
