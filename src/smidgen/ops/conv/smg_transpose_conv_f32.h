/* smg_transpose_conv_f32: transposed convolution on float32, with float32 weights or quantised
 * ones.
 *
 * y[n,r,c,o] = clamp(b[o] + scale[o] * sum_{h,w,i} w[o,h,w,i] * x[n,(r+top-h)/s,(c+left-w)/s,i])
 * over the taps h and w where the divisions have no rest and fall inside x.
 *
 * Accuracy: see smg_real.h. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_TRANSPOSE_CONV_F32_H
#define SMG_TRANSPOSE_CONV_F32_H

#include "smg_real.h"
#include "smg_transpose_conv.h"

typedef struct {
    smg_spread_t spread;
    smg_real_t finish;
} smg_transpose_conv_f32_t;

SMG_INLINE float smg_transpose_conv_f32_sum(const smg_transpose_conv_f32_t *op, const float *image,
                                            const void *weights, int32_t bits, int32_t first,
                                            smg_reach_t row, smg_reach_t col) {
    const smg_spread_t *s = &op->spread;
    const int32_t depth = s->in_channels;
    float sum = 0.0f;
    int32_t r = row.start;
    for (int32_t h = row.first; h < s->win_rows && r >= 0; h += s->stride_rows, --r) {
        int32_t c = col.start;
        for (int32_t w = col.first; w < s->win_cols && c >= 0; w += s->stride_cols, --c) {
            const float *x = image + (r * s->in_cols + c) * depth;
            const int32_t tap = first + (h * s->win_cols + w) * depth;
            sum = smg_dot_real(&op->finish, sum, x, weights, bits, tap, depth);
        }
    }
    return sum;
}

SMG_INLINE void smg_transpose_conv_real(const smg_transpose_conv_f32_t *op, const float *x,
                                        const void *weights, int32_t bits, float *y) {
    const smg_spread_t *s = &op->spread;
    const int32_t taps = s->win_rows * s->win_cols * s->in_channels;
    for (int32_t pixel = 0; pixel < s->batches * s->out_rows * s->out_cols; ++pixel) {
        const int32_t line = pixel / s->out_cols;
        const float *image = x + line / s->out_rows * s->in_rows * s->in_cols * s->in_channels;
        const smg_reach_t row = smg_reach(line % s->out_rows + s->top, s->stride_rows, s->in_rows);
        const smg_reach_t col =
            smg_reach(pixel % s->out_cols + s->left, s->stride_cols, s->in_cols);
        for (int32_t o = 0; o < s->out_channels; ++o) {
            const float sum =
                smg_transpose_conv_f32_sum(op, image, weights, bits, o * taps, row, col);
            *y++ = smg_finish_real(&op->finish, sum, o);
        }
    }
}

SMG_KERNEL void smg_transpose_conv_f32(const smg_transpose_conv_f32_t *op, const float *x,
                                       const SMG_ANY float *weights, float *y) {
    smg_transpose_conv_real(op, x, weights, 32, y);
}

SMG_KERNEL void smg_transpose_conv_f32_w8(const smg_transpose_conv_f32_t *op, const float *x,
                                          const SMG_ANY int8_t *weights, float *y) {
    smg_transpose_conv_real(op, x, weights, 8, y);
}

SMG_KERNEL void smg_transpose_conv_f32_w4(const smg_transpose_conv_f32_t *op, const float *x,
                                          const SMG_ANY uint8_t *weights, float *y) {
    smg_transpose_conv_real(op, x, weights, 4, y);
}

#endif
