/* smg_transpose_conv.h: which taps of a transposed convolution reach an output pixel. */
#ifndef SMG_TRANSPOSE_CONV_H
#define SMG_TRANSPOSE_CONV_H

#include "smg.h"

typedef struct {
    int32_t batches, in_rows, in_cols, in_channels;
    int32_t out_rows, out_cols, out_channels;
    int32_t win_rows, win_cols, stride_rows, stride_cols, top, left;
} smg_spread_t;

/* Taps first, first + stride, ... below `taps` come from positions start, start - 1, ... */
typedef struct {
    int32_t first, start;
} smg_reach_t;

SMG_INLINE smg_reach_t smg_reach(int32_t place, int32_t stride, int32_t size) {
    smg_reach_t reach = {place % stride, place / stride};
    if (reach.start >= size) {
        reach.first += (reach.start - size + 1) * stride;
        reach.start = size - 1;
    }
    return reach;
}

#endif
