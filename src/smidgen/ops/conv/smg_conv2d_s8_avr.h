/* smg_conv2d_s8_avr: 2-D convolution on int8 for 8-bit AVR, any shape, stride, padding, dilation
 * and groups.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left,
 * i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding contributes zp_x, not 0.
 * Exact: equals the reference of Conv2D bit for bit. Scratch: none. Goes element by element: y may
 * reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_S8_AVR_H
#define SMG_CONV2D_S8_AVR_H

#include "smg_windows_avr.h"

typedef struct {
    int16_t group_channels, group_outputs;
    smg_windows_avr_t windows;
} smg_conv2d_s8_avr_t;

/* The products of `cols` taps in one row: at once where they are neighbours. */
SMG_INLINE int32_t smg_conv2d_s8_avr_taps(const smg_conv2d_s8_avr_t *op, int32_t sum,
                                          const int8_t *x, const SMG_ROM int8_t *weights,
                                          int cols) {
    const int depth = op->group_channels;
    const int step = op->windows.dilation_cols * op->windows.in_channels;
    if (step == depth) {
        return smg_avr_dot(sum, x, weights, (uint16_t)(cols * depth));
    }
    for (; cols > 0; --cols) {
        sum = smg_avr_dot(sum, x, weights, (uint16_t)depth);
        x += step;
        weights += depth;
    }
    return sum;
}

SMG_INLINE int32_t smg_conv2d_s8_avr_row(const smg_conv2d_s8_avr_t *op, int32_t sum,
                                         const int8_t *x, const SMG_ROM int8_t *weights,
                                         const smg_place_avr_t *place) {
    const smg_windows_avr_t *w = &op->windows;
    const int depth = op->group_channels, skipped = place->first * depth;
    if (place->first > 0) {
        sum = smg_avr_padding(sum, w->zero_point, weights, (uint16_t)skipped);
    }
    if (place->end < w->win_cols) {
        sum = smg_avr_padding(sum, w->zero_point, weights + place->end * depth,
                              (uint16_t)((w->win_cols - place->end) * depth));
    }
    return smg_conv2d_s8_avr_taps(op, sum, x, weights + skipped, place->end - place->first);
}

/* sum + the products of one window; `x` is the first channel of the group. */
SMG_INLINE int32_t smg_conv2d_s8_avr_window(const smg_conv2d_s8_avr_t *op, int32_t sum,
                                            const int8_t *x, const SMG_ROM int8_t *weights,
                                            const smg_place_avr_t *place) {
    const smg_windows_avr_t *w = &op->windows;
    const int row_weights = w->win_cols * op->group_channels;
    int row = place->row, at = place->origin;
    for (int h = w->win_rows; h > 0; --h) {
        if (row >= 0 && row < w->in_rows) {
            sum = smg_conv2d_s8_avr_row(op, sum, x + at, weights, place);
        } else {
            sum = smg_avr_padding(sum, w->zero_point, weights, (uint16_t)row_weights);
        }
        row += w->dilation_rows;
        at += w->row_step;
        weights += row_weights;
    }
    return sum;
}

/* All outputs of one pixel. */
SMG_INLINE void smg_conv2d_s8_avr_pixel(const smg_conv2d_s8_avr_t *op, const int8_t *x,
                                        const smg_place_avr_t *place, int8_t *y) {
    const smg_windows_avr_t *w = &op->windows;
    const int window = w->win_rows * w->win_cols * op->group_channels;
    const SMG_ROM int8_t *weights = w->weights;
    int in_group = 0;
    for (int o = 0; o < w->out_channels; ++o) {
        const int32_t sum = smg_conv2d_s8_avr_window(op, w->bias[o], x, weights, place);
        y[o] = smg_output_avr(w, sum, o);
        weights += window;
        if (++in_group == op->group_outputs) {
            in_group = 0;
            x += op->group_channels;
        }
    }
}

SMG_KERNEL void smg_conv2d_s8_avr(const smg_conv2d_s8_avr_t *op, const int8_t *x, int8_t *y) {
    const smg_windows_avr_t *w = &op->windows;
    for (int r = 0; r < w->out_rows; ++r) {
        for (int c = 0; c < w->out_cols; ++c) {
            const smg_place_avr_t place = smg_place_avr(w, r, c);
            smg_conv2d_s8_avr_pixel(op, x, &place, y);
            y += w->out_channels;
        }
    }
}

#endif
