/* smg_depthwise_f32: depthwise convolution on float32, with float32 weights or quantised ones.
 *
 * y[n,r,c,o] = clamp(b[o] + scale[o] * sum_{h,w} w[h,w,o] * x[n,..,..,o / multiplier])
 *
 * Any batch, stride, padding, dilation, multiplier. Accuracy: see smg_real.h. Scratch: none. Goes
 * element by element: for batch 1, y may reach into x as far as safe_conv_distance
 * (ops/support/overlap.py) says.
 */
#ifndef SMG_DEPTHWISE_F32_H
#define SMG_DEPTHWISE_F32_H

#include "smg_real.h"
#include "smg_window.h"

typedef struct {
    smg_window_t window;
    int32_t multiplier;
    smg_real_t finish;
} smg_depthwise_f32_t;

SMG_INLINE float smg_depthwise_f32_sum(const smg_depthwise_f32_t *op, const smg_place_t *place,
                                       const float *x, const void *weights, int32_t bits,
                                       int32_t output) {
    const smg_window_t *w = &op->window;
    const int32_t channels = w->in_channels * op->multiplier;
    float sum = 0.0f;
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            const int32_t index = (row * w->win_cols + col) * channels + output;
            const float value = x[smg_tap(w, place, row, col)];
            sum += value * smg_weight(&op->finish, weights, bits, index);
        }
    }
    return sum;
}

SMG_INLINE void smg_depthwise_real(const smg_depthwise_f32_t *op, const float *x,
                                   const void *weights, int32_t bits, float *y) {
    const smg_window_t *w = &op->window;
    for (int32_t pixel = 0; pixel < smg_pixels(w); ++pixel) {
        const smg_place_t place = smg_place(w, pixel);
        for (int32_t o = 0; o < w->in_channels * op->multiplier; ++o) {
            const float *channel = x + o / op->multiplier;
            const float sum = smg_depthwise_f32_sum(op, &place, channel, weights, bits, o);
            *y++ = smg_finish_real(&op->finish, sum, o);
        }
    }
}

SMG_KERNEL void smg_depthwise_f32(const smg_depthwise_f32_t *op, const float *x,
                                  const SMG_ANY float *weights, float *y) {
    smg_depthwise_real(op, x, weights, 32, y);
}

SMG_KERNEL void smg_depthwise_f32_w8(const smg_depthwise_f32_t *op, const float *x,
                                     const SMG_ANY int8_t *weights, float *y) {
    smg_depthwise_real(op, x, weights, 8, y);
}

SMG_KERNEL void smg_depthwise_f32_w4(const smg_depthwise_f32_t *op, const float *x,
                                     const SMG_ANY uint8_t *weights, float *y) {
    smg_depthwise_real(op, x, weights, 4, y);
}

#endif
