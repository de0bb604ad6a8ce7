/* smg_move: strided copies between two tensors, of elements of any size.
 *
 * `table` holds one row a move, all in bytes: source, destination, run, and then count, source
 * step and destination step of each of `axes` axes, outermost first. A move copies `run` bytes for
 * every position of its axes; a step of 0 repeats, a negative one walks backwards. Serves Slice,
 * Transpose, BroadcastTo, Pad and what else only moves elements. Exact: bytes are copied.
 * Scratch: none. x and y are disjoint. Runs of 2 and 4 bytes may lie unaligned.
 */
#ifndef SMG_MOVE_H
#define SMG_MOVE_H

#include "smg.h"

typedef struct {
    int32_t moves, axes;
    const int32_t *table;
} smg_move_t;

/* The innermost axis; the small runs are those of single elements. */
SMG_INLINE void smg_move_axis(int32_t run, const int32_t *axis, const uint8_t *from, uint8_t *to) {
    const int32_t count = axis[0], from_step = axis[1], to_step = axis[2];
    for (int32_t i = 0; i < count; ++i) {
        if (run == 1) {
            *to = *from;
        } else if (run == 2) {
            memcpy(to, from, 2);
        } else if (run == 4) {
            memcpy(to, from, 4);
        } else {
            memcpy(to, from, (size_t)run);
        }
        from += from_step;
        to += to_step;
    }
}

/* One row of the table. The outer positions are counted in mixed radix, as a flat number. */
SMG_KERNEL void smg_move_row(int32_t axes, const int32_t *row, const uint8_t *x, uint8_t *y) {
    const int32_t *outer = row + 3;
    const int32_t *innermost = outer + 3 * (axes - 1);
    int32_t positions = 1;
    for (int32_t a = 0; a < axes - 1; ++a) {
        positions *= outer[3 * a];
    }
    for (int32_t position = 0; position < positions; ++position) {
        int32_t rest = position, from = row[0], to = row[1];
        for (int32_t a = axes - 2; a >= 0; --a) {
            const int32_t at = rest % outer[3 * a];
            rest /= outer[3 * a];
            from += at * outer[3 * a + 1];
            to += at * outer[3 * a + 2];
        }
        smg_move_axis(row[2], innermost, x + from, y + to);
    }
}

SMG_KERNEL void smg_move(const smg_move_t *op, const void *x, void *y) {
    const int32_t width = 3 + 3 * op->axes;
    for (int32_t i = 0; i < op->moves; ++i) {
        smg_move_row(op->axes, op->table + i * width, x, y);
    }
}

#endif
