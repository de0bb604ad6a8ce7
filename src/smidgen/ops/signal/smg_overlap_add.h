/* smg_overlap_add: the stream that overlapping frames add up to, int16 (saturated) or float32.
 *
 * For each frame: sums += frame; the first `step` sums are given out; the others move on.
 *
 * Exact: equals the reference of OverlapAdd bit for bit. Scratch: none. The state is updated where
 * it lies; it, x and y are disjoint.
 */
#ifndef SMG_OVERLAP_ADD_H
#define SMG_OVERLAP_ADD_H

#include "smg.h"

typedef struct {
    int32_t rows, frames, size, step;
} smg_overlap_add_t;

SMG_KERNEL void smg_overlap_add_s16(const smg_overlap_add_t *op, const int16_t *x, int16_t *y,
                                    int16_t *sums) {
    const int32_t rest = op->size - op->step;
    for (int32_t row = 0; row < op->rows; ++row) {
        for (int32_t frame = 0; frame < op->frames; ++frame) {
            for (int32_t i = 0; i < op->size; ++i) {
                sums[i] = (int16_t)smg_clamp((int32_t)sums[i] + *x++, INT16_MIN, INT16_MAX);
            }
            memcpy(y, sums, (size_t)op->step * sizeof *y);
            memmove(sums, sums + op->step, (size_t)rest * sizeof *sums);
            memset(sums + rest, 0, (size_t)op->step * sizeof *sums);
            y += op->step;
        }
        sums += op->size;
    }
}

SMG_KERNEL void smg_overlap_add_f32(const smg_overlap_add_t *op, const float *x, float *y,
                                    float *sums) {
    const int32_t rest = op->size - op->step;
    for (int32_t row = 0; row < op->rows; ++row) {
        for (int32_t frame = 0; frame < op->frames; ++frame) {
            for (int32_t i = 0; i < op->size; ++i) {
                sums[i] += *x++;
            }
            memcpy(y, sums, (size_t)op->step * sizeof *y);
            memmove(sums, sums + op->step, (size_t)rest * sizeof *sums);
            memset(sums + rest, 0, (size_t)op->step * sizeof *sums);
            y += op->step;
        }
        sums += op->size;
    }
}

#endif
