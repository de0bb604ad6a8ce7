/* smg_depthwise_s8_plane: depthwise convolution on int8 in portable C, channel by channel.
 *
 * y[r,c,o] = clamp(zp_y + requant(b[o] + sum_{h,w} w[h,w,o] * (x[.., .., o / multiplier] - zp_x)))
 *
 * Each input channel is copied to a plane with padding around, as x + 128, so that unsigned loads
 * serve: that, and zero points, are folded into the bias. Outputs are made four down a column, so
 * that a weight is loaded once for all. "Rows" are the axis along which a plane's bytes lie.
 * Requantisation is one of three, by the name of the function. Exact: equals the reference of
 * DepthwiseConv2D bit for bit. Scratch: plane_bytes. Nothing is written before the input channel
 * that it needs is copied as a whole: y may be x if multiplier is 1.
 */
#ifndef SMG_DEPTHWISE_S8_PLANE_H
#define SMG_DEPTHWISE_S8_PLANE_H

#include "smg_plane_3x3.h"
#include "smg_rolled.h"
#include "smg_scale.h"

typedef struct {
    int32_t channels, multiplier;
    int32_t rows, cols, row_step, col_step; /* input pixels, and bytes from one to the next */
    int32_t out_rows, out_cols, out_row_step, out_col_step;
    int32_t taps, win_cols;             /* window rows and columns */
    int32_t stride_rows, dilation_rows; /* in bytes of the plane */
    int32_t plane_bytes;
    int32_t column_bytes; /* from one column of the plane to the next */
    int32_t window_bytes; /* ... to the next one in a window */
    int32_t output_bytes; /* ... to the one that the next output starts at */
    int32_t first;        /* where the first input goes */
    int32_t zero_point, out_zero_point;
    smg_scale_t scale;
    const int8_t *weights; /* [output channel][column][row] */
    const int32_t *words;  /* of smg_scale.h */
} smg_depthwise_s8_plane_t;

/* One channel from x to the plane. */
SMG_INLINE void smg_depthwise_s8_plane_copy(const smg_depthwise_s8_plane_t *op, const int8_t *x,
                                            uint8_t *plane) {
    const int32_t step = op->row_step, count = op->rows;
    uint8_t *column = plane + op->first;
    SMG_ROLLED
    for (int32_t c = op->cols; c > 0; --c) {
        const uint8_t *from = (const uint8_t *)x;
        uint8_t *to = column;
        SMG_ROLLED
        for (int32_t n = count >> 1; n > 0; --n) {
            to[0] = *from ^ 128u;
            from += step;
            to[1] = *from ^ 128u;
            from += step;
            to += 2;
        }
        if ((count & 1) != 0) {
            *to = *from ^ 128u;
        }
        x += op->col_step;
        column += op->column_bytes;
    }
}

#if defined(__thumb__) && !defined(__thumb2__)
/* Eight registers are too few for what a compiler makes of this: sums go to the upper ones. */
#define SMG_DWP_ADD_PRODUCT(sum, offset)                                                           \
    "ldrb %[t], [%[x], #" offset "]\n\tmuls %[t], %[w], %[t]\n\tadd " sum ", %[t]\n\t"
#define SMG_DWP_TAP(first, second, third)                                                          \
    __asm__(".syntax unified\n\t" SMG_DWP_ADD_PRODUCT("%[a]", "0")                                 \
                SMG_DWP_ADD_PRODUCT("%[b]", first) SMG_DWP_ADD_PRODUCT("%[c]", second)             \
                    SMG_DWP_ADD_PRODUCT("%[d]", third)                                             \
            : [a] "+hl"(sums[0]), [b] "+hl"(sums[1]), [c] "+hl"(sums[2]), [d] "+hl"(sums[3]),      \
              [t] "=&l"(product)                                                                   \
            : [x] "l"(x), [w] "l"(weight)                                                          \
            : "cc", "memory")
#endif

/* Adds weight * x[0], x[stride], x[2 stride], x[3 stride] to the four sums; `fixed` is the stride
 * if that is known, else 0. */
SMG_INLINE void smg_depthwise_s8_plane_tap(const uint8_t *x, int32_t weight, int32_t stride,
                                           int32_t fixed, int32_t *sums) {
#if defined(__thumb__) && !defined(__thumb2__)
    int32_t product;
    if (fixed == 1) {
        SMG_DWP_TAP("1", "2", "3");
        return;
    }
    if (fixed == 2) {
        SMG_DWP_TAP("2", "4", "6");
        return;
    }
#endif
    (void)fixed;
    sums[0] += weight * x[0];
    sums[1] += weight * x[stride];
    sums[2] += weight * x[2 * stride];
    sums[3] += weight * x[3 * stride];
}

/* Four sums down a column of outputs that are `stride` bytes apart in the plane. */
SMG_INLINE void smg_depthwise_s8_plane_sums(const uint8_t *x, const int8_t *w, int32_t taps,
                                            int32_t cols, int32_t stride, int32_t fixed,
                                            int32_t dilation, int32_t window, int32_t *sums) {
    SMG_ROLLED
    for (int32_t c = cols; c > 0; --c) {
        const uint8_t *at = x;
        for (int32_t t = taps; t > 0; --t) {
            smg_depthwise_s8_plane_tap(at, *w++, stride, fixed, sums);
            at += dilation;
        }
        x += window;
    }
}

/* Requantisation: a line or any other of smg_scale.h, or the words bias, mantissa and right shift
 * (1 to 22). `offset` is (zp_y + 1/2) * 2^shift for the latter. */
enum { SMG_DWP_LINE, SMG_DWP_SHIFT, SMG_DWP_ANY };

SMG_INLINE int8_t smg_depthwise_s8_plane_output(const smg_scale_t *scale, const int32_t *words,
                                                int32_t offset, int32_t sum, int32_t mode) {
    if (mode == SMG_DWP_LINE) {
        return smg_scale_line(scale, words[0], words[1], sum);
    }
    if (mode == SMG_DWP_SHIFT) {
        const int32_t h = smg_high_mul(sum + words[0], words[1]);
        return (int8_t)smg_clamp((h + (h >> 31) + offset) >> words[2], -128, 127);
    }
    return smg_scale(scale, words, sum);
}

/* The first `count` of four outputs down a column. */
SMG_INLINE void smg_depthwise_s8_plane_store(const smg_depthwise_s8_plane_t *op,
                                             const int32_t *words, const int32_t *sums,
                                             int32_t count, int8_t *y, int32_t mode) {
    const int32_t row = op->out_row_step;
    const smg_scale_t scale = op->scale;
    const int32_t offset =
        mode == SMG_DWP_SHIFT ? (2 * op->out_zero_point + 1) * (1 << (words[2] - 1)) : 0;
    y[0] = smg_depthwise_s8_plane_output(&scale, words, offset, sums[0], mode);
    if (count >= 4) {
        y[row] = smg_depthwise_s8_plane_output(&scale, words, offset, sums[1], mode);
        y[2 * row] = smg_depthwise_s8_plane_output(&scale, words, offset, sums[2], mode);
        y[3 * row] = smg_depthwise_s8_plane_output(&scale, words, offset, sums[3], mode);
        return;
    }
    int32_t sum = sums[1];
    SMG_ROLLED
    for (int32_t k = 1; k < count; ++k) {
        y += row;
        *y = smg_depthwise_s8_plane_output(&scale, words, offset, sum, mode);
        sum = sums[2];
    }
}

/* One output channel from the plane; `taps` and `stride` are 0 where they vary. */
SMG_INLINE void smg_depthwise_s8_plane_channel(const smg_depthwise_s8_plane_t *op,
                                               const uint8_t *plane, const int8_t *weights,
                                               const int32_t *words, int8_t *y, int32_t taps,
                                               int32_t stride, int32_t mode) {
    const int32_t apart = stride > 0 ? stride : op->stride_rows;
    const bool kept = SMG_PLANE_KEEPS_WEIGHTS && taps == 3;
    int32_t known[9];
    for (int32_t i = 0; kept && i < 9; ++i) {
        known[i] = weights[i];
    }
    SMG_ROLLED
    for (int32_t c = op->out_cols; c > 0; --c) {
        const uint8_t *x = plane;
        int8_t *to = y;
        SMG_ROLLED
        for (int32_t left = op->out_rows; left > 0; left -= 4) {
            int32_t sums[4] = {0, 0, 0, 0};
            if (kept) {
                smg_plane_sums_3x3(x, known, stride, op->window_bytes, sums);
            } else {
                smg_depthwise_s8_plane_sums(
                    x, weights, taps > 0 ? taps : op->taps, taps > 0 ? taps : op->win_cols, apart,
                    stride, stride > 0 ? 1 : op->dilation_rows, op->window_bytes, sums);
            }
            smg_depthwise_s8_plane_store(op, words, sums, left, to, mode);
            x += 4 * apart;
            to += 4 * op->out_row_step;
        }
        plane += op->output_bytes;
        y += op->out_col_step;
    }
}

SMG_INLINE void smg_depthwise_s8_plane_layer(const smg_depthwise_s8_plane_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *plane, int32_t taps,
                                             int32_t stride, int32_t mode) {
    const int32_t window = op->taps * op->win_cols;
    const int32_t words_each = mode == SMG_DWP_LINE ? 2 : 3;
    const int8_t *weights = op->weights;
    const int32_t *words = op->words;
    memset(plane, (int)(op->zero_point + 128), (size_t)op->plane_bytes);
    SMG_ROLLED
    for (int32_t i = op->channels; i > 0; --i) {
        smg_depthwise_s8_plane_copy(op, x++, plane);
        SMG_ROLLED
        for (int32_t m = op->multiplier; m > 0; --m) {
            smg_depthwise_s8_plane_channel(op, plane, weights, words, y++, taps, stride, mode);
            weights += window;
            words += words_each;
        }
    }
}

#define SMG_DWP_FUNCTION(suffix, taps, stride, mode)                                               \
    SMG_KERNEL void smg_depthwise_s8_plane_##suffix(                                               \
        const smg_depthwise_s8_plane_t *op, const int8_t *x, int8_t *y, uint8_t *scratch) {        \
        smg_depthwise_s8_plane_layer(op, x, y, scratch, taps, stride, mode);                       \
    }

SMG_DWP_FUNCTION(3x3_stride1_line, 3, 1, SMG_DWP_LINE)
SMG_DWP_FUNCTION(3x3_stride1_shift, 3, 1, SMG_DWP_SHIFT)
SMG_DWP_FUNCTION(3x3_stride2_line, 3, 2, SMG_DWP_LINE)
SMG_DWP_FUNCTION(3x3_stride2_shift, 3, 2, SMG_DWP_SHIFT)
SMG_DWP_FUNCTION(stride1_line, 0, 1, SMG_DWP_LINE)
SMG_DWP_FUNCTION(stride1_shift, 0, 1, SMG_DWP_SHIFT)
SMG_DWP_FUNCTION(stride2_line, 0, 2, SMG_DWP_LINE)
SMG_DWP_FUNCTION(stride2_shift, 0, 2, SMG_DWP_SHIFT)
SMG_DWP_FUNCTION(any, 0, 0, SMG_DWP_ANY)

#undef SMG_DWP_FUNCTION
#undef SMG_DWP_TAP
#undef SMG_DWP_ADD_PRODUCT

#endif
