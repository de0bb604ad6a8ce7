/* smg_conv2d_s8_mve: convolution on int8 without groups, for Arm cores with MVE (Helium).
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[.., .., i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. The values under the
 * windows of two pixels are copied to columns in scratch, and all outputs are made from there.
 * Exact: equals the reference of Conv2D bit for bit. Scratch: two columns of 16 * steps bytes.
 * Writes two pixels at a time: y may reach into x as far as safe_pixel_distance
 * (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_S8_MVE_H
#define SMG_CONV2D_S8_MVE_H

#include "smg_dot_2x4_s8_mve.h"
#include "smg_window_mve.h"

typedef struct {
    smg_window_mve_t window;
    smg_dot_s8_mve_t dot;
} smg_conv2d_s8_mve_t;

/* Pixels in pairs, which run on across rows; the last one may be alone. */
SMG_INLINE void smg_conv2d_s8_mve_layer(const smg_conv2d_s8_mve_t *op, const int8_t *x, int8_t *y,
                                        uint8_t *scratch, bool up) {
    const smg_window_mve_t *const window = &op->window;
    int8_t *const columns = (int8_t *)scratch;
    const int32_t outputs = op->dot.outputs, apart = 16 * op->dot.steps;
    int32_t pixels = window->out_rows * window->out_cols, waiting = 0, top = -window->top;
    smg_mve_fill(columns, 0, 2 * apart);
    for (int32_t r = 0; r < window->out_rows; ++r) {
        const smg_taps_mve_t rows =
            smg_window_mve_inside(top, window->in_rows, window->win_rows, window->dilation_rows);
        const int8_t *const first =
            x + (top + rows.from * window->dilation_rows) * window->in_cols * window->in_channels;
        int32_t left = -window->left;
        for (int32_t c = 0; c < window->out_cols; ++c) {
            smg_window_mve_copy(window, first, rows, left, columns + waiting * apart);
            ++waiting;
            --pixels;
            if (waiting == 2 || pixels == 0) {
                smg_dot_2x4_s8_mve(&op->dot, columns, y, waiting == 2 ? outputs : 0, up);
                y += 2 * outputs;
                waiting = 0;
            }
            left += window->stride_cols;
        }
        top += window->stride_rows;
    }
}

SMG_KERNEL void smg_conv2d_s8_mve(const smg_conv2d_s8_mve_t *op, const int8_t *x, int8_t *y,
                                  uint8_t *scratch) {
    smg_conv2d_s8_mve_layer(op, x, y, scratch, false);
}

SMG_KERNEL void smg_conv2d_s8_mve_up(const smg_conv2d_s8_mve_t *op, const int8_t *x, int8_t *y,
                                     uint8_t *scratch) {
    smg_conv2d_s8_mve_layer(op, x, y, scratch, true);
}

/* 1 x 1 windows, stride 1, no padding: pixels as they come. */
SMG_INLINE void smg_conv2d_s8_mve_points(const smg_conv2d_s8_mve_t *op, const int8_t *x, int8_t *y,
                                         uint8_t *scratch, bool up) {
    const smg_window_mve_t *const window = &op->window;
    int8_t *const columns = (int8_t *)scratch;
    const int32_t outputs = op->dot.outputs, channels = window->in_channels;
    int32_t pixels = window->out_rows * window->out_cols;
    smg_mve_fill(columns, 0, 32 * op->dot.steps);
    for (; pixels > 0; pixels -= 2) {
        const int32_t count = smg_min(pixels, 2);
        smg_mve_copy(columns, x, channels);
        if (count == 2) {
            smg_mve_copy(columns + 16 * op->dot.steps, x + channels, channels);
        }
        smg_dot_2x4_s8_mve(&op->dot, columns, y, count == 2 ? outputs : 0, up);
        x += 2 * channels;
        y += 2 * outputs;
    }
}

SMG_KERNEL void smg_conv2d_s8_mve_1x1(const smg_conv2d_s8_mve_t *op, const int8_t *x, int8_t *y,
                                      uint8_t *scratch) {
    smg_conv2d_s8_mve_points(op, x, y, scratch, false);
}

SMG_KERNEL void smg_conv2d_s8_mve_1x1_up(const smg_conv2d_s8_mve_t *op, const int8_t *x, int8_t *y,
                                         uint8_t *scratch) {
    smg_conv2d_s8_mve_points(op, x, y, scratch, true);
}

#endif
