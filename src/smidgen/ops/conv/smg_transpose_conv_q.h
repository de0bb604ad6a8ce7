/* smg_transpose_conv_q: transposed convolution on int8 or int16, int8 or int4 weights.
 *
 * y[n,r,c,o] = finish(b[o] + sum_{h,w,i} (w[o,h,w,i] - zp_w) * (x[n,(r+top-h)/s,(c+left-w)/s,i]
 *                                                             - zp_x))
 * over the taps h and w where the divisions have no rest and fall inside x.
 *
 * Exact: equals the reference of TransposeConv2D bit for bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_TRANSPOSE_CONV_Q_H
#define SMG_TRANSPOSE_CONV_Q_H

#include "smg_finish.h"
#include "smg_quanta.h"
#include "smg_transpose_conv.h"

typedef struct {
    smg_spread_t spread;
    int32_t zero_point, weight_zero_point;
    smg_finish_t finish;
} smg_transpose_conv_q_t;

/* The products that reach output pixel (row, col); x starts at its image, weights at their output.
 */
SMG_INLINE int64_t smg_transpose_conv_q_sum(const smg_spread_t *s, smg_run_t x, smg_run_t weights,
                                            smg_reach_t row, smg_reach_t col) {
    const int32_t image = x.index, first = weights.index;
    int64_t sum = 0;
    int32_t r = row.start;
    for (int32_t h = row.first; h < s->win_rows && r >= 0; h += s->stride_rows, --r) {
        int32_t c = col.start;
        for (int32_t w = col.first; w < s->win_cols && c >= 0; w += s->stride_cols, --c) {
            x.index = image + (r * s->in_cols + c) * s->in_channels;
            weights.index = first + (h * s->win_cols + w) * s->in_channels;
            sum += smg_dot_runs(x, weights, s->in_channels);
        }
    }
    return sum;
}

SMG_INLINE void smg_transpose_conv_q(const smg_transpose_conv_q_t *op, const void *x, int32_t bits,
                                     const void *weights, int32_t weight_bits, bool wide, void *y) {
    const smg_spread_t *s = &op->spread;
    const int32_t taps = s->win_rows * s->win_cols * s->in_channels;
    for (int32_t pixel = 0; pixel < s->batches * s->out_rows * s->out_cols; ++pixel) {
        const int32_t line = pixel / s->out_cols;
        const int32_t image = line / s->out_rows * s->in_rows * s->in_cols * s->in_channels;
        const smg_reach_t row = smg_reach(line % s->out_rows + s->top, s->stride_rows, s->in_rows);
        const smg_reach_t col =
            smg_reach(pixel % s->out_cols + s->left, s->stride_cols, s->in_cols);
        for (int32_t o = 0; o < s->out_channels; ++o) {
            const smg_run_t from = {x, bits, image, op->zero_point};
            const smg_run_t with = {weights, weight_bits, o * taps, op->weight_zero_point};
            const int64_t sum = smg_transpose_conv_q_sum(s, from, with, row, col);
            smg_store(y, bits, pixel * s->out_channels + o, smg_finish(&op->finish, sum, o, wide));
        }
    }
}

SMG_KERNEL void smg_transpose_conv_q8(const smg_transpose_conv_q_t *op, const int8_t *x,
                                      const SMG_ANY int8_t *weights, int8_t *y) {
    smg_transpose_conv_q(op, x, 8, weights, 8, false, y);
}

SMG_KERNEL void smg_transpose_conv_q8_w4(const smg_transpose_conv_q_t *op, const int8_t *x,
                                         const SMG_ANY uint8_t *weights, int8_t *y) {
    smg_transpose_conv_q(op, x, 8, weights, 4, false, y);
}

SMG_KERNEL void smg_transpose_conv_q16_wide(const smg_transpose_conv_q_t *op, const int16_t *x,
                                            const SMG_ANY int8_t *weights, int16_t *y) {
    smg_transpose_conv_q(op, x, 16, weights, 8, true, y);
}

#endif
