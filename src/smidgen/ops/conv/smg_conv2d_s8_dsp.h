/* smg_conv2d_s8_dsp: convolution on int8 for Arm cores with the DSP extension.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left, i]))
 *
 * Two output pixels at a time: their windows are widened to 16-bit columns in scratch, straight from
 * x where both lie inside and their rows are multiples of 4 bytes, else through a copy in which
 * zp_x stands for the padding; then smg_dot_4x2_s8_dsp makes all outputs of both.
 *
 * Exact: equals the reference of Conv2D bit for bit, for weights and scaling that
 * ops/support/columns.py packed. Scratch: 6 * depth bytes, aligned to 4. Both windows are read
 * before the two pixels are written: y may reach into x as far as safe_pixel_distance
 * (ops/support/overlap.py) says for two pixels.
 */
#ifndef SMG_CONV2D_S8_DSP_H
#define SMG_CONV2D_S8_DSP_H

#include "smg_columns_dsp.h"
#include "smg_dot_4x2_s8_dsp.h"

typedef struct {
    int32_t in_rows, in_cols, in_channels;
    int32_t out_cols, out_pixels, out_channels;
    int32_t win_rows, win_cols; /* taps */
    int32_t row_reach, col_reach; /* pixels from the first tap to the last */
    int32_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
    int32_t depth; /* products of an output, rounded up to a multiple of 4 */
    int32_t direct; /* 1: rows of a window are contiguous multiples of 4 bytes */
    int32_t zero_point, scale, addend, low, high;
    const int32_t *weights;
} smg_conv2d_s8_dsp_t;

SMG_INLINE int8_t *smg_conv2d_s8_dsp_fill(int8_t *to, int32_t count, int32_t value) {
    const int8_t *const end = to + count;
    while (to != end) {
        *to++ = (int8_t)value;
    }
    return to;
}

/* The taps of one row whose first is at column `left`. */
SMG_INLINE int8_t *smg_conv2d_s8_dsp_row(const smg_conv2d_s8_dsp_t *op, const int8_t *row,
                                         int32_t left, int8_t *to) {
    const int32_t channels = op->in_channels;
    if (op->dilation_cols == 1) {
        const int32_t first = smg_clamp(-left, 0, op->win_cols);
        const int32_t end = smg_clamp(op->in_cols - left, first, op->win_cols);
        to = smg_conv2d_s8_dsp_fill(to, first * channels, op->zero_point);
        to = smg_copy_bytes(row + (left + first) * channels, (end - first) * channels, to);
        return smg_conv2d_s8_dsp_fill(to, (op->win_cols - end) * channels, op->zero_point);
    }
    for (int32_t w = 0; w < op->win_cols; ++w, left += op->dilation_cols) {
        to = left >= 0 && left < op->in_cols
                 ? smg_copy_bytes(row + left * channels, channels, to)
                 : smg_conv2d_s8_dsp_fill(to, channels, op->zero_point);
    }
    return to;
}

/* The window of one output pixel as contiguous bytes. */
SMG_NOINLINE static void smg_conv2d_s8_dsp_window(const smg_conv2d_s8_dsp_t *op, const int8_t *x,
                                                  int32_t top, int32_t left, int8_t *to) {
    const int32_t row_bytes = op->in_cols * op->in_channels;
    for (int32_t h = 0; h < op->win_rows; ++h, top += op->dilation_rows) {
        to = top >= 0 && top < op->in_rows
                 ? smg_conv2d_s8_dsp_row(op, x + top * row_bytes, left, to)
                 : smg_conv2d_s8_dsp_fill(to, op->win_cols * op->in_channels, op->zero_point);
    }
}

SMG_INLINE bool smg_conv2d_s8_dsp_inside(const smg_conv2d_s8_dsp_t *op, int32_t top, int32_t left) {
    return top >= 0 && left >= 0 && top + op->row_reach < op->in_rows &&
           left + op->col_reach < op->in_cols;
}

/* The columns of the output pixels (r0, c0) and (r1, c1). */
SMG_INLINE void smg_conv2d_s8_dsp_columns(const smg_conv2d_s8_dsp_t *op, const int8_t *x,
                                          const int32_t at[4], int32_t *columns) {
    const int32_t top0 = at[0] * op->stride_rows - op->top;
    const int32_t left0 = at[1] * op->stride_cols - op->left;
    const int32_t top1 = at[2] * op->stride_rows - op->top;
    const int32_t left1 = at[3] * op->stride_cols - op->left;
    if (op->direct != 0 && smg_conv2d_s8_dsp_inside(op, top0, left0) &&
        smg_conv2d_s8_dsp_inside(op, top1, left1)) {
        const int32_t step = op->dilation_rows * op->in_cols * op->in_channels;
        const int8_t *a = x + (top0 * op->in_cols + left0) * op->in_channels;
        const int8_t *b = x + (top1 * op->in_cols + left1) * op->in_channels;
        for (int32_t h = 0; h < op->win_rows; ++h) {
            columns = smg_columns_dsp(a, b, op->win_cols * op->in_channels, columns);
            a += step;
            b += step;
        }
        return;
    }
    int8_t *const copies = (int8_t *)(columns + op->depth);
    smg_conv2d_s8_dsp_window(op, x, top0, left0, copies);
    smg_conv2d_s8_dsp_window(op, x, top1, left1, copies + op->depth);
    (void)smg_columns_dsp(copies, copies + op->depth, op->depth, columns);
}

/* All outputs of two pixels. */
SMG_INLINE void smg_conv2d_s8_dsp_outputs(const smg_conv2d_s8_dsp_t *op, const int32_t *columns,
                                          int8_t *y0, int8_t *y1) {
    const int32_t rest = op->out_channels & 3, most = op->out_channels - rest;
    const int32_t *w = op->weights;
    if (most > 0) {
        w = smg_dot_4x2_s8_dsp(w, columns, y0, y1, 4 * op->depth, y0 + most, op->scale, op->addend);
    }
    if (rest > 0) {
        int8_t last[8];
        (void)smg_dot_4x2_s8_dsp(w, columns, last, last + 4, 4 * op->depth, last + 4, op->scale,
                                 op->addend);
        (void)smg_copy_bytes(last, rest, y0 + most);
        (void)smg_copy_bytes(last + 4, rest, y1 + most);
    }
}

SMG_KERNEL void smg_conv2d_s8_dsp(const smg_conv2d_s8_dsp_t *op, const int8_t *x, int8_t *y,
                                  uint8_t *scratch) {
    int32_t *const columns = (int32_t *)(void *)scratch;
    int32_t at[4] = {0, 0, 0, 0};
    for (int32_t p = 0; p < op->out_pixels; p += 2) {
        const bool both = p + 1 < op->out_pixels;
        const bool wraps = at[1] + 1 == op->out_cols;
        at[2] = both && wraps ? at[0] + 1 : at[0];
        at[3] = !both ? at[1] : wraps ? 0 : at[1] + 1;
        smg_conv2d_s8_dsp_columns(op, x, at, columns);
        int8_t *const out = y + p * op->out_channels;
        smg_conv2d_s8_dsp_outputs(op, columns, out, both ? out + op->out_channels : out);
        const bool ends = at[3] + 1 == op->out_cols;
        at[0] = ends ? at[2] + 1 : at[2];
        at[1] = ends ? 0 : at[3] + 1;
    }
    if (op->low > -128 || op->high < 127) {
        for (int32_t i = 0; i < op->out_pixels * op->out_channels; ++i) {
            y[i] = (int8_t)smg_clamp(y[i], op->low, op->high);
        }
    }
}

#endif
