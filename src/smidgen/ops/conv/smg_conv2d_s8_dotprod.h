/* smg_conv2d_s8_dotprod: convolution on int8 without groups, for AArch64 cores with the dot
 * products of Advanced SIMD (SDOT).
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[.., .., i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. The values under the
 * windows of four pixels are copied to columns in scratch, and all outputs are made from there.
 * Exact: equals the reference of Conv2D bit for bit. Scratch: four columns of 8 * steps bytes.
 * Writes four pixels at a time: y may reach into x as far as safe_pixel_distance
 * (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_S8_DOTPROD_H
#define SMG_CONV2D_S8_DOTPROD_H

#include "smg_columns_neon.h"
#include "smg_dot_s8_dotprod.h"

typedef struct {
    smg_window_t window;
    int32_t zero_point;
    smg_dot_s8_dotprod_t dot;
} smg_conv2d_s8_dotprod_t;

/* Pixels in fours, which run on across rows; the last ones may be fewer. */
SMG_KERNEL void smg_conv2d_s8_dotprod(const smg_conv2d_s8_dotprod_t *op, const int8_t *x, int8_t *y,
                                      uint8_t *scratch) {
    const smg_window_t *const window = &op->window;
    int8_t *const columns = (int8_t *)scratch;
    const int32_t apart = 8 * op->dot.steps;
    int32_t pixels = window->out_rows * window->out_cols, waiting = 0, top = -window->top;
    smg_neon_fill(columns, 0, 4 * apart);
    for (int32_t r = 0; r < window->out_rows; ++r) {
        const smg_taps_neon_t rows =
            smg_taps_neon(top, window->dilation_rows, window->win_rows, window->in_rows);
        int32_t left = -window->left;
        for (int32_t c = 0; c < window->out_cols; ++c) {
            const smg_taps_neon_t cols =
                smg_taps_neon(left, window->dilation_cols, window->win_cols, window->in_cols);
            smg_column_neon(window, x, rows, cols, op->zero_point, columns + waiting * apart);
            ++waiting;
            --pixels;
            if (waiting == 4 || pixels == 0) {
                smg_dot_8x4_s8_dotprod(&op->dot, columns, y, waiting);
                y += waiting * op->dot.outputs;
                waiting = 0;
            }
            left += window->stride_cols;
        }
        top += window->stride_rows;
    }
}

/* 1 x 1 windows, stride 1, no padding: pixels as they come. */
SMG_KERNEL void smg_conv2d_s8_dotprod_1x1(const smg_conv2d_s8_dotprod_t *op, const int8_t *x,
                                          int8_t *y, uint8_t *scratch) {
    const smg_window_t *const window = &op->window;
    int8_t *const columns = (int8_t *)scratch;
    const int32_t apart = 8 * op->dot.steps, channels = window->in_channels;
    smg_neon_fill(columns, 0, 4 * apart);
    for (int32_t left = window->out_rows * window->out_cols; left > 0; left -= 4) {
        const int32_t pixels = smg_min(left, 4);
        if (apart == channels) {
            smg_neon_copy(columns, x, pixels * channels);
        } else {
            for (int32_t p = 0; p < pixels; ++p) {
                smg_neon_copy(columns + p * apart, x + p * channels, channels);
            }
        }
        smg_dot_8x4_s8_dotprod(&op->dot, columns, y, pixels);
        x += 4 * channels;
        y += 4 * op->dot.outputs;
    }
}

#endif
