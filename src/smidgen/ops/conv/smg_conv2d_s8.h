/* smg_conv2d_s8: 2-D convolution on int8, any shape, stride, padding, dilation and groups.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left,
 * i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding contributes zp_x, not 0.
 * Exact: equals the reference of Conv2D bit for bit. Scratch: none. Goes element by element: y may
 * reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_S8_H
#define SMG_CONV2D_S8_H

#include "smg.h"

typedef struct {
    int32_t in_rows, in_cols, in_channels;
    int32_t out_rows, out_cols, out_channels;
    int32_t win_rows, win_cols, group_channels;
    int32_t group_outputs;
    int32_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
    int32_t zero_point, out_zero_point, low, high;
    const SMG_ROM int8_t *weights;
    const SMG_ROM int32_t *bias;
    const SMG_ROM int32_t *mantissas;
    const SMG_ROM int8_t *shifts;
} smg_conv2d_s8_t;

SMG_INLINE int32_t smg_conv2d_s8_row(const smg_conv2d_s8_t *op, const int8_t *row,
                                     const SMG_ROM int8_t *weights, int32_t left) {
    int32_t sum = 0;
    for (int32_t w = 0; w < op->win_cols; ++w) {
        const int32_t col = left + w * op->dilation_cols;
        const bool inside = col >= 0 && col < op->in_cols;
        for (int32_t i = 0; i < op->group_channels; ++i) {
            const int32_t x = inside ? row[col * op->in_channels + i] : op->zero_point;
            sum += x * weights[w * op->group_channels + i];
        }
    }
    return sum;
}

SMG_INLINE int32_t smg_conv2d_s8_padding(const smg_conv2d_s8_t *op, const SMG_ROM int8_t *weights) {
    int32_t sum = 0;
    for (int32_t i = 0; i < op->win_cols * op->group_channels; ++i) {
        sum += weights[i];
    }
    return sum * op->zero_point;
}

SMG_KERNEL void smg_conv2d_s8(const smg_conv2d_s8_t *op, const int8_t *x, int8_t *y) {
    const int32_t row_weights = op->win_cols * op->group_channels;
    for (int32_t r = 0; r < op->out_rows; ++r) {
        for (int32_t c = 0; c < op->out_cols; ++c) {
            for (int32_t o = 0; o < op->out_channels; ++o) {
                const SMG_ROM int8_t *weights = op->weights + o * op->win_rows * row_weights;
                const int8_t *group = x + o / op->group_outputs * op->group_channels;
                int32_t sum = op->bias[o];
                for (int32_t h = 0; h < op->win_rows; ++h) {
                    const int32_t row = r * op->stride_rows - op->top + h * op->dilation_rows;
                    if (row >= 0 && row < op->in_rows) {
                        sum += smg_conv2d_s8_row(op, group + row * op->in_cols * op->in_channels,
                                                 weights + h * row_weights,
                                                 c * op->stride_cols - op->left);
                    } else {
                        sum += smg_conv2d_s8_padding(op, weights + h * row_weights);
                    }
                }
                sum = smg_requantize(sum, op->mantissas[o], op->shifts[o]) + op->out_zero_point;
                *y++ = (int8_t)smg_clamp(sum, op->low, op->high);
            }
        }
    }
}

#endif
