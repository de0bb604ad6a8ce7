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

/* The products of a window whose columns are no neighbours, tap by tap. */
SMG_NOINLINE static int32_t smg_conv2d_s8_avr_taps(const smg_conv2d_s8_avr_t *op, int32_t sum,
                                                   const int8_t *x, const SMG_ROM int8_t *weights,
                                                   const smg_place_avr_t *place) {
    const smg_windows_avr_t *w = &op->windows;
    const int depth = op->group_channels, step = w->dilation_cols * w->in_channels;
    for (int row = place->first_row; row < place->end_row; ++row) {
        const SMG_ROM int8_t *tap = weights + (row * w->win_cols + place->first_col) * depth;
        const int8_t *from = x;
        for (int col = place->first_col; col < place->end_col; ++col) {
            sum = smg_avr_dot(sum, from, tap, (uint16_t)depth);
            from += step;
            tap += depth;
        }
        x += w->row_step;
    }
    return sum;
}

/* sum + the products of one window; `x` is the first channel of the group under its first tap. */
SMG_INLINE int32_t smg_conv2d_s8_avr_window(const smg_conv2d_s8_avr_t *op, int32_t sum,
                                            const int8_t *x, const SMG_ROM int8_t *weights,
                                            const smg_place_avr_t *place,
                                            const smg_avr_area_t *area) {
    const smg_windows_avr_t *w = &op->windows;
    const int depth = op->group_channels;
    if (w->zero_point != 0 && !smg_is_inside_avr(w, place)) {
        sum += w->zero_point * smg_outside_avr(w->win_rows, w->win_cols, depth, weights, place);
    }
    if (smg_is_empty_avr(area)) {
        return sum;
    }
    if (w->dilation_cols * w->in_channels != depth) {
        return smg_conv2d_s8_avr_taps(op, sum, x, weights, place);
    }
    weights += (place->first_row * w->win_cols + place->first_col) * depth;
    return smg_avr_area(sum, x, weights, area);
}

/* All outputs of one pixel. */
SMG_INLINE void smg_conv2d_s8_avr_pixel(const smg_conv2d_s8_avr_t *op, const int8_t *x,
                                        const smg_place_avr_t *place, int8_t *y) {
    const smg_windows_avr_t *w = &op->windows;
    const int window = w->win_rows * w->win_cols * op->group_channels;
    const smg_avr_area_t area = smg_area_avr(w, place, op->group_channels, 1);
    const SMG_ROM int8_t *weights = w->weights;
    int in_group = 0;
    x += place->origin;
    for (int o = 0; o < w->out_channels; ++o) {
        const int32_t sum = smg_conv2d_s8_avr_window(op, w->bias[o], x, weights, place, &area);
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
