/* smg_update_slice: x with a smaller tensor written over it, at a place known at run time.
 *
 * `axes` holds, for each axis, how far the update can move and a step in bytes; the begins are
 * clamped to that. Serves every element type. Exact: equals the reference of UpdateSlice.
 * Scratch: none. y may be x, or lie below it; the update is disjoint from y.
 */
#ifndef SMG_UPDATE_SLICE_H
#define SMG_UPDATE_SLICE_H

#include "smg_move.h"

typedef struct {
    int32_t bytes, rank;
    const SMG_ROM int32_t *axes;
    smg_move_t move;
} smg_update_slice_t;

SMG_KERNEL void smg_update_slice_s32(const smg_update_slice_t *op, const void *x,
                                     const void *update, const int32_t *begin, void *y) {
    int32_t offset = 0;
    memmove(y, x, (size_t)op->bytes);
    for (int32_t a = 0; a < op->rank; ++a) {
        const int32_t room = op->axes[2 * a];
        const int32_t at = begin[a] < 0 ? 0 : begin[a] > room ? room : (int32_t)begin[a];
        offset += at * op->axes[2 * a + 1];
    }
    smg_move(&op->move, update, (uint8_t *)y + offset);
}

SMG_KERNEL void smg_update_slice_s64(const smg_update_slice_t *op, const void *x,
                                     const void *update, const int64_t *begin, void *y) {
    int32_t offset = 0;
    memmove(y, x, (size_t)op->bytes);
    for (int32_t a = 0; a < op->rank; ++a) {
        const int32_t room = op->axes[2 * a];
        const int32_t at = begin[a] < 0 ? 0 : begin[a] > room ? room : (int32_t)begin[a];
        offset += at * op->axes[2 * a + 1];
    }
    smg_move(&op->move, update, (uint8_t *)y + offset);
}

#endif
