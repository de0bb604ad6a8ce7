/* smg_gather: blocks of x along an axis, in the order that positions say.
 *
 * y[b][o][p] = x[b][o][clamp(position[b][p], 0, extent - 1)], blocks of `bytes`. Serves every
 * element type. Exact: equals the reference of Gather. Scratch: none. All operands are disjoint.
 */
#ifndef SMG_GATHER_H
#define SMG_GATHER_H

#include "smg.h"

typedef struct {
    int32_t batches, outer, extent, positions, bytes;
} smg_gather_t;

SMG_KERNEL void smg_gather_s32(const smg_gather_t *op, const void *x, const int32_t *position,
                               void *y) {
    const uint8_t *from = x;
    uint8_t *to = y;
    for (int32_t b = 0; b < op->batches; ++b) {
        for (int32_t o = 0; o < op->outer; ++o) {
            for (int32_t p = 0; p < op->positions; ++p) {
                const int32_t wanted = position[b * op->positions + p];
                const int32_t at = wanted < 0             ? 0
                                   : wanted >= op->extent ? op->extent - 1
                                                          : (int32_t)wanted;
                memcpy(to, from + at * op->bytes, (size_t)op->bytes);
                to += op->bytes;
            }
            from += op->extent * op->bytes;
        }
    }
}

SMG_KERNEL void smg_gather_s64(const smg_gather_t *op, const void *x, const int64_t *position,
                               void *y) {
    const uint8_t *from = x;
    uint8_t *to = y;
    for (int32_t b = 0; b < op->batches; ++b) {
        for (int32_t o = 0; o < op->outer; ++o) {
            for (int32_t p = 0; p < op->positions; ++p) {
                const int64_t wanted = position[b * op->positions + p];
                const int32_t at = wanted < 0             ? 0
                                   : wanted >= op->extent ? op->extent - 1
                                                          : (int32_t)wanted;
                memcpy(to, from + at * op->bytes, (size_t)op->bytes);
                to += op->bytes;
            }
            from += op->extent * op->bytes;
        }
    }
}

#endif
