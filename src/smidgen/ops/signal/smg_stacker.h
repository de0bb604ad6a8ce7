/* smg_stacker: frames of int16 with their neighbours side by side.
 *
 * The frame joins the queue (the first one `left` times more); a full queue is given out and moves
 * on by `step` frames. Until it is full, y is zeros.
 *
 * Exact: equals the reference of Stacker bit for bit. Scratch: none. The state is updated where it
 * lies; it, x and y are disjoint.
 */
#ifndef SMG_STACKER_H
#define SMG_STACKER_H

#include "smg.h"

typedef struct {
    int32_t channels, left, capacity, step; /* capacity and step in samples */
} smg_stacker_t;

SMG_KERNEL void smg_stacker(const smg_stacker_t *op, const int16_t *x, int16_t *y, bool *full,
                            int16_t *queue, int32_t *count) {
    const int32_t copies = *count < 0 ? op->left + 1 : 1;
    int32_t length = smg_max(*count, 0);
    for (int32_t copy = 0; copy < copies; ++copy) {
        memcpy(queue + length, x, (size_t)op->channels * sizeof *x);
        length += op->channels;
    }
    *full = length >= op->capacity;
    memset(y, 0, (size_t)op->capacity * sizeof *y);
    if (*full) {
        memcpy(y, queue, (size_t)op->capacity * sizeof *y);
        length -= op->step;
        memmove(queue, queue + op->step, (size_t)length * sizeof *queue);
    }
    *count = length;
}

#endif
