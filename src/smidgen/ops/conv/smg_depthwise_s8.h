/* smg_depthwise_s8: depthwise convolution on int8, any shape, stride, padding, dilation,
 * multiplier.
 *
 * y[r,c,o] = clamp(zp_y + requant(b[o] + sum_{h,w} w[h,w,o] * (x[.., .., o / multiplier] - zp_x)))
 *
 * Exact: equals the reference of DepthwiseConv2D bit for bit. Scratch: none. Goes element by
 * element: y may reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_DEPTHWISE_S8_H
#define SMG_DEPTHWISE_S8_H

#include "smg.h"

typedef struct {
    int32_t in_rows, in_cols, in_channels;
    int32_t out_rows, out_cols, multiplier;
    int32_t win_rows, win_cols;
    int32_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
    int32_t zero_point, out_zero_point, low, high;
    const SMG_ROM int8_t *weights;
    const SMG_ROM int32_t *bias;
    const SMG_ROM int32_t *mantissas;
    const SMG_ROM int8_t *shifts;
} smg_depthwise_s8_t;

/* The products of one window, for input channel i and output channel o. */
SMG_INLINE int32_t smg_depthwise_s8_window(const smg_depthwise_s8_t *op, const int8_t *x,
                                           int32_t top, int32_t left, int32_t i, int32_t o) {
    const int32_t channels = op->in_channels * op->multiplier;
    int32_t sum = 0;
    for (int32_t h = 0; h < op->win_rows; ++h) {
        const int32_t row = top + h * op->dilation_rows;
        if (row < 0 || row >= op->in_rows) {
            continue;
        }
        for (int32_t w = 0; w < op->win_cols; ++w) {
            const int32_t col = left + w * op->dilation_cols;
            if (col >= 0 && col < op->in_cols) {
                const int32_t value = x[(row * op->in_cols + col) * op->in_channels + i];
                const int32_t weight = op->weights[(h * op->win_cols + w) * channels + o];
                sum += weight * (value - op->zero_point);
            }
        }
    }
    return sum;
}

SMG_KERNEL void smg_depthwise_s8(const smg_depthwise_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t r = 0; r < op->out_rows; ++r) {
        for (int32_t c = 0; c < op->out_cols; ++c) {
            const int32_t top = r * op->stride_rows - op->top;
            const int32_t left = c * op->stride_cols - op->left;
            for (int32_t o = 0; o < op->in_channels * op->multiplier; ++o) {
                int32_t sum =
                    op->bias[o] + smg_depthwise_s8_window(op, x, top, left, o / op->multiplier, o);
                sum = smg_requantize(sum, op->mantissas[o], op->shifts[o]) + op->out_zero_point;
                *y++ = (int8_t)smg_clamp(sum, op->low, op->high);
            }
        }
    }
}

#endif
