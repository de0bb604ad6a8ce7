/* smg_fill_move: a tensor filled with one value, with strided copies drawn over it.
 *
 * `value` is one element of `width` bytes; then as smg_move. Serves Pad and SpaceToBatch of every
 * element type. Exact: bytes are copied. Scratch: none. x and y are disjoint. No alignment is
 * needed.
 */
#ifndef SMG_FILL_MOVE_H
#define SMG_FILL_MOVE_H

#include "smg_move.h"

typedef struct {
    int32_t elements, width;
    const uint8_t *value;
    smg_move_t move;
} smg_fill_move_t;

SMG_KERNEL void smg_fill_move(const smg_fill_move_t *op, const void *x, void *y) {
    uint8_t *to = y;
    if (op->width == 1) {
        memset(to, op->value[0], (size_t)op->elements);
    } else {
        for (int32_t i = 0; i < op->elements; ++i) {
            memcpy(to + i * op->width, op->value, (size_t)op->width);
        }
    }
    smg_move(&op->move, x, y);
}

#endif
