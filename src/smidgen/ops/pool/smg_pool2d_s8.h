/* smg_average_pool2d_s8, smg_max_pool2d_s8: pooling on int8.
 *
 * average: round(sum / count) over the part of the window inside the image, ties away from zero.
 * max: the largest element there. Both then clamp. Exact: equals the references of AveragePool2D
 * and MaxPool2D bit for bit. Scratch: none. Goes element by element: y may
 * reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_POOL2D_S8_H
#define SMG_POOL2D_S8_H

#include "smg.h"

typedef struct {
    int32_t in_rows, in_cols, channels;
    int32_t out_rows, out_cols;
    int32_t win_rows, win_cols, stride_rows, stride_cols, top, left;
    int32_t low, high;
} smg_pool2d_s8_t;

typedef struct {
    int32_t row, row_end, col, col_end;
} smg_pool2d_span_t;

/* The part of the window of output (r, c) that lies inside the image. */
SMG_INLINE smg_pool2d_span_t smg_pool2d_span(const smg_pool2d_s8_t *op, int32_t r, int32_t c) {
    const int32_t top = r * op->stride_rows - op->top;
    const int32_t left = c * op->stride_cols - op->left;
    const smg_pool2d_span_t span = {smg_max(top, 0), smg_min(top + op->win_rows, op->in_rows),
                                    smg_max(left, 0), smg_min(left + op->win_cols, op->in_cols)};
    return span;
}

SMG_KERNEL void smg_average_pool2d_s8(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t r = 0; r < op->out_rows; ++r) {
        for (int32_t c = 0; c < op->out_cols; ++c) {
            const smg_pool2d_span_t span = smg_pool2d_span(op, r, c);
            const int32_t count = (span.row_end - span.row) * (span.col_end - span.col);
            for (int32_t i = 0; i < op->channels; ++i) {
                int32_t sum = 0;
                for (int32_t row = span.row; row < span.row_end; ++row) {
                    for (int32_t col = span.col; col < span.col_end; ++col) {
                        sum += x[(row * op->in_cols + col) * op->channels + i];
                    }
                }
                sum = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
                *y++ = (int8_t)smg_clamp(sum, op->low, op->high);
            }
        }
    }
}

SMG_KERNEL void smg_max_pool2d_s8(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t r = 0; r < op->out_rows; ++r) {
        for (int32_t c = 0; c < op->out_cols; ++c) {
            const smg_pool2d_span_t span = smg_pool2d_span(op, r, c);
            for (int32_t i = 0; i < op->channels; ++i) {
                int32_t largest = INT8_MIN;
                for (int32_t row = span.row; row < span.row_end; ++row) {
                    for (int32_t col = span.col; col < span.col_end; ++col) {
                        largest = smg_max(largest, x[(row * op->in_cols + col) * op->channels + i]);
                    }
                }
                *y++ = (int8_t)smg_clamp(largest, op->low, op->high);
            }
        }
    }
}

#endif
