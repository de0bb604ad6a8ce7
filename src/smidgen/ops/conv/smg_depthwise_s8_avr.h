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

/* sum + the products of one window; `x` is the channel under its first tap. */
SMG_INLINE int32_t smg_depthwise_s8_avr_window(const smg_windows_avr_t *w, int32_t sum,
                                               const int8_t *x, const SMG_ROM int8_t *weights,
                                               const smg_place_avr_t *place,
                                               const smg_avr_area_t *area) {
    if (w->zero_point != 0 && !smg_is_inside_avr(w, place)) {
        sum += w->zero_point * smg_outside_avr(w->win_rows, w->win_cols, 1, weights, place);
    }
    if (smg_is_empty_avr(area)) {
        return sum;
    }
    weights += place->first_row * w->win_cols + place->first_col;
    return area->step == 1 ? smg_avr_area(sum, x, weights, area)
                           : smg_avr_area_steps(sum, x, weights, area);
}

/* All outputs of one pixel. */
SMG_INLINE void smg_depthwise_s8_avr_pixel(const smg_depthwise_s8_avr_t *op, const int8_t *x,
                                           const smg_place_avr_t *place, int8_t *y) {
    const smg_windows_avr_t *w = &op->windows;
    const int window = w->win_rows * w->win_cols;
    const smg_avr_area_t area = smg_area_avr(w, place, 1, w->dilation_cols * w->in_channels);
    const SMG_ROM int8_t *weights = w->weights;
    int of_input = 0;
    x += place->origin;
    for (int o = 0; o < w->out_channels; ++o) {
        const int32_t sum = smg_depthwise_s8_avr_window(w, w->bias[o], x, weights, place, &area);
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
