/* smg_move: strided copies between two tensors, of elements of any size.
 *
 * `table` holds one row a move, all in bytes: source, destination, run, and then count, source
 * step and destination step of each of `axes` axes, outermost first. A move copies `run` bytes for
 * every position of its axes; a step of 0 repeats, a negative one walks backwards. Serves Slice,
 * Transpose, BroadcastTo, Pad and what else only moves elements. Exact: bytes are copied.
 * Scratch: none. Aliasing: y may overlap x as far as no run is written over one that is read later;
 * runs are read and written one by one, in the order of the table. No alignment is needed.
 */
#ifndef SMG_MOVE_H
#define SMG_MOVE_H

#include "smg.h"

/* The most axes that a move has, its run not counted. */
#define SMG_MOVE_AXES 8

typedef struct {
    int32_t moves, axes;
    const SMG_ROM int32_t *table;
} smg_move_t;

/* The innermost axis; the small runs are those of single elements. */
// clang-format off
SMG_INLINE void smg_move_axis(int32_t run, const SMG_ROM int32_t *axis, const uint8_t *from, uint8_t *to) {
    const int32_t count = axis[0], from_step = axis[1], to_step = axis[2];
    for (int32_t i = 0; i < count; ++i) {
        if (run == 1) {
            *to = *from;
        } else if (run == 2) {
            uint16_t element;
            memcpy(&element, from, 2);
            memcpy(to, &element, 2);
        } else if (run == 4) {
            uint32_t element;
            memcpy(&element, from, 4);
            memcpy(to, &element, 4);
        } else {
            memmove(to, from, (size_t)run);
        }
        from += from_step;
        to += to_step;
    }
}
// clang-format on

/* One row of the table: an odometer over the outer axes. */
// clang-format off
SMG_KERNEL void smg_move_row(int32_t axes, const SMG_ROM int32_t *row, const uint8_t *x, uint8_t *y) {
    const SMG_ROM int32_t *outer = row + 3;
    int32_t at[SMG_MOVE_AXES] = {0};
    int32_t from = row[0], to = row[1], a;
    do {
        smg_move_axis(row[2], outer + 3 * (axes - 1), x + from, y + to);
        for (a = axes - 2; a >= 0; --a) {
            from += outer[3 * a + 1];
            to += outer[3 * a + 2];
            if (++at[a] < outer[3 * a]) {
                break;
            }
            from -= outer[3 * a] * outer[3 * a + 1];
            to -= outer[3 * a] * outer[3 * a + 2];
            at[a] = 0;
        }
    } while (a >= 0);
}
// clang-format on

SMG_KERNEL void smg_move(const smg_move_t *op, const void *x, void *y) {
    const int32_t width = 3 + 3 * op->axes;
    for (int32_t i = 0; i < op->moves; ++i) {
        smg_move_row(op->axes, op->table + i * width, x, y);
    }
}

#endif
