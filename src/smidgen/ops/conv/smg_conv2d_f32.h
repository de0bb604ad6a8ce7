/* smg_conv2d_f32: 2-D convolution on float32, with float32 weights or quantised ones.
 *
 * y[n,r,c,o] = clamp(b[o] + scale[o] * sum_{h,w,i} w[o,h,w,i] * x[n,r*s+h*d-top,c*s+w*d-left,i])
 *
 * Any batch, stride, padding, dilation and groups. Accuracy: see smg_real.h. Scratch: none. Goes
 * element by element: for batch 1, y may reach into x as far as safe_conv_distance
 * (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_F32_H
#define SMG_CONV2D_F32_H

#include "smg_real.h"
#include "smg_window.h"

typedef struct {
    smg_window_t window;
    int32_t out_channels, group_channels, group_outputs;
    smg_real_t finish;
} smg_conv2d_f32_t;

SMG_INLINE float smg_conv2d_f32_sum(const smg_conv2d_f32_t *op, const smg_place_t *place,
                                    const float *x, const void *weights, int32_t bits,
                                    int32_t first) {
    const smg_window_t *w = &op->window;
    const int32_t depth = op->group_channels;
    float sum = 0.0f;
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            sum = smg_dot_real(&op->finish, sum, x + smg_tap(w, place, row, col), weights, bits,
                               first + (row * w->win_cols + col) * depth, depth);
        }
    }
    return sum;
}

SMG_INLINE void smg_conv2d_real(const smg_conv2d_f32_t *op, const float *x, const void *weights,
                                int32_t bits, float *y) {
    const smg_window_t *w = &op->window;
    const int32_t taps = w->win_rows * w->win_cols * op->group_channels;
    for (int32_t pixel = 0; pixel < smg_pixels(w); ++pixel) {
        const smg_place_t place = smg_place(w, pixel);
        for (int32_t o = 0; o < op->out_channels; ++o) {
            const float *group = x + o / op->group_outputs * op->group_channels;
            const float sum = smg_conv2d_f32_sum(op, &place, group, weights, bits, o * taps);
            *y++ = smg_finish_real(&op->finish, sum, o);
        }
    }
}

// clang-format off
SMG_KERNEL void smg_conv2d_f32(const smg_conv2d_f32_t *op, const float *x, const SMG_ANY float *weights,
                               float *y) {
    smg_conv2d_real(op, x, weights, 32, y);
}

SMG_KERNEL void smg_conv2d_f32_w8(const smg_conv2d_f32_t *op, const float *x, const SMG_ANY int8_t *weights,
                                  float *y) {
    smg_conv2d_real(op, x, weights, 8, y);
}
// clang-format on

SMG_KERNEL void smg_conv2d_f32_w4(const smg_conv2d_f32_t *op, const float *x,
                                  const SMG_ANY uint8_t *weights, float *y) {
    smg_conv2d_real(op, x, weights, 4, y);
}

#endif
