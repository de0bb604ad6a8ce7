/* smg_depthwise_s8_avr: depthwise convolution on int8 for 8-bit AVR, any shape, stride, padding,
 * dilation and multiplier.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w} w[o,h,w] * x[r*s+h*d-top, c*s+w*d-left, o /
 * m]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding contributes zp_x, not 0.
 * Exact: equals the reference of DepthwiseConv2D bit for bit. Scratch: none. Goes element by
 * element: y may reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_DEPTHWISE_S8_AVR_H
#define SMG_DEPTHWISE_S8_AVR_H

#include "smg_windows_avr.h"

typedef struct {
    int16_t multiplier;
    smg_windows_avr_t windows;
} smg_depthwise_s8_avr_t;

/* One row of a window; `x` is its first tap that lies inside. */
SMG_INLINE int32_t smg_depthwise_s8_avr_row(const smg_windows_avr_t *w, int32_t sum,
                                            const int8_t *x, const SMG_ROM int8_t *weights,
                                            const smg_place_avr_t *place) {
    if (place->first > 0) {
        sum = smg_avr_padding(sum, w->zero_point, weights, (uint16_t)place->first);
    }
    if (place->end < w->win_cols) {
        sum = smg_avr_padding(sum, w->zero_point, weights + place->end,
                              (uint16_t)(w->win_cols - place->end));
    }
    const int step = w->dilation_cols * w->in_channels, taps = place->end - place->first;
    if (step == 1) {
        return smg_avr_dot(sum, x, weights + place->first, (uint16_t)taps);
    }
    return smg_avr_dot_steps(sum, x, (uint16_t)step, weights + place->first, (uint8_t)taps);
}

/* sum + the products of one window in the channel that starts at `x`. */
SMG_INLINE int32_t smg_depthwise_s8_avr_window(const smg_windows_avr_t *w, int32_t sum,
                                               const int8_t *x, const SMG_ROM int8_t *weights,
                                               const smg_place_avr_t *place) {
    int row = place->row, at = place->origin;
    for (int h = w->win_rows; h > 0; --h) {
        if (row >= 0 && row < w->in_rows) {
            sum = smg_depthwise_s8_avr_row(w, sum, x + at, weights, place);
        } else {
            sum = smg_avr_padding(sum, w->zero_point, weights, (uint16_t)w->win_cols);
        }
        row += w->dilation_rows;
        at += w->row_step;
        weights += w->win_cols;
    }
    return sum;
}

/* All outputs of one pixel. */
SMG_INLINE void smg_depthwise_s8_avr_pixel(const smg_depthwise_s8_avr_t *op, const int8_t *x,
                                           const smg_place_avr_t *place, int8_t *y) {
    const smg_windows_avr_t *w = &op->windows;
    const int window = w->win_rows * w->win_cols;
    const SMG_ROM int8_t *weights = w->weights;
    int of_input = 0;
    for (int o = 0; o < w->out_channels; ++o) {
        const int32_t sum = smg_depthwise_s8_avr_window(w, w->bias[o], x, weights, place);
        y[o] = smg_output_avr(w, sum, o);
        weights += window;
        if (++of_input == op->multiplier) {
            of_input = 0;
            ++x;
        }
    }
}

SMG_KERNEL void smg_depthwise_s8_avr(const smg_depthwise_s8_avr_t *op, const int8_t *x, int8_t *y) {
    const smg_windows_avr_t *w = &op->windows;
    for (int r = 0; r < w->out_rows; ++r) {
        for (int c = 0; c < w->out_cols; ++c) {
            const smg_place_avr_t place = smg_place_avr(w, r, c);
            smg_depthwise_s8_avr_pixel(op, x, &place, y);
            y += w->out_channels;
        }
    }
}

#endif
