/* smg_resize_nearest: each output pixel is a copy of the input pixel that a table names.
 *
 * y[r][c] = x[rows[r] + cols[c]], offsets in bytes. Serves every element type. Exact: bytes are
 * copied. Scratch: none. x and y are disjoint. No alignment is needed.
 */
#ifndef SMG_RESIZE_NEAREST_H
#define SMG_RESIZE_NEAREST_H

#include "smg.h"

typedef struct {
    int32_t batches, batch_bytes, out_rows, out_cols, pixel_bytes;
    const SMG_ROM int32_t *rows, *cols;
} smg_resize_nearest_t;

SMG_KERNEL void smg_resize_nearest(const smg_resize_nearest_t *op, const void *x, void *y) {
    const uint8_t *from = x;
    uint8_t *to = y;
    for (int32_t b = 0; b < op->batches; ++b) {
        for (int32_t r = 0; r < op->out_rows; ++r) {
            for (int32_t c = 0; c < op->out_cols; ++c) {
                memcpy(to, from + op->rows[r] + op->cols[c], (size_t)op->pixel_bytes);
                to += op->pixel_bytes;
            }
        }
        from += op->batch_bytes;
    }
}

#endif
