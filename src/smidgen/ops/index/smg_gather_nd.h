/* smg_gather_nd: blocks of x at coordinates.
 *
 * `axes` holds extent and step in bytes of each of `depth` coordinates, which are clamped to their
 * extent. Serves every element type. Exact: equals the reference of GatherNd. Scratch: none. All
 * operands are disjoint.
 */
#ifndef SMG_GATHER_ND_H
#define SMG_GATHER_ND_H

#include "smg.h"

typedef struct {
    int32_t slices, depth, bytes;
    const SMG_ROM int32_t *axes;
} smg_gather_nd_t;

SMG_KERNEL void smg_gather_nd_s32(const smg_gather_nd_t *op, const void *x, const int32_t *position,
                                  void *y) {
    const uint8_t *from = x;
    uint8_t *to = y;
    for (int32_t i = 0; i < op->slices; ++i) {
        int32_t offset = 0;
        for (int32_t c = 0; c < op->depth; ++c) {
            const int32_t extent = op->axes[2 * c];
            const int32_t wanted = *position++;
            const int32_t at = wanted < 0 ? 0 : wanted >= extent ? extent - 1 : (int32_t)wanted;
            offset += at * op->axes[2 * c + 1];
        }
        memcpy(to, from + offset, (size_t)op->bytes);
        to += op->bytes;
    }
}

SMG_KERNEL void smg_gather_nd_s64(const smg_gather_nd_t *op, const void *x, const int64_t *position,
                                  void *y) {
    const uint8_t *from = x;
    uint8_t *to = y;
    for (int32_t i = 0; i < op->slices; ++i) {
        int32_t offset = 0;
        for (int32_t c = 0; c < op->depth; ++c) {
            const int32_t extent = op->axes[2 * c];
            const int64_t wanted = *position++;
            const int32_t at = wanted < 0 ? 0 : wanted >= extent ? extent - 1 : (int32_t)wanted;
            offset += at * op->axes[2 * c + 1];
        }
        memcpy(to, from + offset, (size_t)op->bytes);
        to += op->bytes;
    }
}

#endif
