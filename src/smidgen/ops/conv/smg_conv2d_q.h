/* smg_conv2d_q: 2-D convolution on quanta of any width: int8 or int16 inputs, int8 or int4 weights.
 *
 * y[n,r,c,o] = finish(b[o] + sum_{h,w,i} (w[o,h,w,i] - zp_w) * (x[n,r*s+h*d-top,c*s+w*d-left,i]
 *                                                             - zp_x))
 *
 * Any batch, stride, padding, dilation and groups; padding contributes 0. Exact: equals the
 * reference of Conv2D bit for bit. Scratch: none. Goes element by element: for batch 1, y may reach
 * into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_Q_H
#define SMG_CONV2D_Q_H

#include "smg_finish.h"
#include "smg_quanta.h"
#include "smg_window.h"

typedef struct {
    smg_window_t window;
    int32_t out_channels, group_channels, group_outputs;
    int32_t zero_point, weight_zero_point;
    smg_finish_t finish;
} smg_conv2d_q_t;

/* The products of one window with the weights that start at `weights`. */
SMG_INLINE int64_t smg_conv2d_q_sum(const smg_conv2d_q_t *op, const smg_place_t *place, smg_run_t x,
                                    smg_run_t weights) {
    const smg_window_t *w = &op->window;
    const int32_t channel = x.index, first = weights.index;
    int64_t sum = 0;
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            x.index = smg_tap(w, place, row, col) + channel;
            weights.index = first + (row * w->win_cols + col) * op->group_channels;
            sum += smg_dot_runs(x, weights, op->group_channels);
        }
    }
    return sum;
}

SMG_INLINE void smg_conv2d_q(const smg_conv2d_q_t *op, const void *x, int32_t bits,
                             const void *weights, int32_t weight_bits, bool wide, void *y) {
    const smg_window_t *w = &op->window;
    const int32_t taps = w->win_rows * w->win_cols * op->group_channels;
    for (int32_t pixel = 0; pixel < smg_pixels(w); ++pixel) {
        const smg_place_t place = smg_place(w, pixel);
        for (int32_t o = 0; o < op->out_channels; ++o) {
            const int32_t channel = o / op->group_outputs * op->group_channels;
            const smg_run_t from = {x, bits, channel, op->zero_point};
            const smg_run_t with = {weights, weight_bits, o * taps, op->weight_zero_point};
            const int64_t sum = smg_conv2d_q_sum(op, &place, from, with);
            smg_store(y, bits, pixel * op->out_channels + o, smg_finish(&op->finish, sum, o, wide));
        }
    }
}

// clang-format off
SMG_KERNEL void smg_conv2d_q8(const smg_conv2d_q_t *op, const int8_t *x, const SMG_ANY int8_t *weights,
                              int8_t *y) {
    smg_conv2d_q(op, x, 8, weights, 8, false, y);
}

SMG_KERNEL void smg_conv2d_q8_w4(const smg_conv2d_q_t *op, const int8_t *x, const SMG_ANY uint8_t *weights,
                                 int8_t *y) {
    smg_conv2d_q(op, x, 8, weights, 4, false, y);
}

SMG_KERNEL void smg_conv2d_q16(const smg_conv2d_q_t *op, const int16_t *x, const SMG_ANY int8_t *weights,
                               int16_t *y) {
    smg_conv2d_q(op, x, 16, weights, 8, false, y);
}
// clang-format on

SMG_KERNEL void smg_conv2d_q16_wide(const smg_conv2d_q_t *op, const int16_t *x,
                                    const SMG_ANY int8_t *weights, int16_t *y) {
    smg_conv2d_q(op, x, 16, weights, 8, true, y);
}

#endif
