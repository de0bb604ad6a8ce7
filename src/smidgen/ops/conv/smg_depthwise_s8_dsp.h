/* smg_depthwise_s8_dsp: depthwise convolution on int8 for Arm cores with the DSP extension.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w} w[h,w,o] * x[.., .., o / multiplier]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. Input channels are copied,
 * one or four at a time, to planes of 16-bit values with padding around, in which two rows lie
 * interleaved: one word holds two taps for SMLAD. Outputs are made four down a column, so that
 * weights and values are loaded once for all. The caller may swap rows and columns.
 *
 * Accumulators are kept doubled, so that SMMULR is the requantisation's high product.
 * Exact: equals the reference of DepthwiseConv2D bit for bit if |accumulator| < 2^30; all but
 * .._any want a clamp to the whole of int8 and right shifts of 1 to 22.
 * Scratch: planes * plane_cols * plane_pairs words, and those of the weights of one channel;
 * aligned to 4. Nothing is written before the input channel that it needs is copied as a whole:
 * with multiplier 1, y may be x, or start any multiple of `channels` bytes from it.
 */
#ifndef SMG_DEPTHWISE_S8_DSP_H
#define SMG_DEPTHWISE_S8_DSP_H

#include "smg_dsp.h"

typedef struct {
    int32_t channels, multiplier;
    int32_t rows, cols, row_step, col_step; /* input pixels, and bytes from one to the next */
    int32_t out_rows, out_cols, out_row_step, out_col_step;
    int32_t win_rows, win_cols, stride_rows, stride_cols, dilation_cols, top, left;
    int32_t planes, plane_cols, plane_pairs;
    int32_t zero_point, out_zero_point, low, high;
    const int8_t *weights; /* [output channel][column][row] */
    const int32_t *bias;   /* doubled */
    const int32_t *mantissas;
    const int8_t *shifts;
} smg_depthwise_s8_dsp_t;

/* How sums become outputs. */
typedef struct {
    int32_t bias, mantissa, shift, offset;
} smg_depthwise_s8_dsp_scale_t;

/* One value of each of four channels, to planes that are `plane` halves apart. */
SMG_INLINE void smg_depthwise_s8_dsp_put4(int32_t four, smg_half_t *to, int32_t plane) {
    const int32_t even = smg_even_bytes(four), odd = smg_odd_bytes(four);
    to[0] = (smg_half_t)even;
    to[plane] = (smg_half_t)odd;
    to[2 * plane] = (smg_half_t)(even >> 16);
    to[3 * plane] = (smg_half_t)(odd >> 16);
}

/* One column of four channels. */
SMG_INLINE void smg_depthwise_s8_dsp_column4(const int8_t *x, int32_t step, int32_t count,
                                             smg_half_t *to, int32_t plane) {
    const smg_half_t *const end = to + count;
    if (((uintptr_t)to & 2u) != 0) {
        smg_depthwise_s8_dsp_put4(smg_load_word(x), to, plane);
        x += step;
        ++to;
    }
    for (; end - to >= 2; to += 2) {
        const int32_t upper = smg_load_word(x), lower = smg_load_word(x + step);
        const int32_t front = smg_low_halves(upper, lower), back = smg_high_halves(upper, lower);
        *(smg_pair_t *)(void *)to = smg_even_bytes(front);
        *(smg_pair_t *)(void *)(to + plane) = smg_odd_bytes(front);
        *(smg_pair_t *)(void *)(to + 2 * plane) = smg_even_bytes(back);
        *(smg_pair_t *)(void *)(to + 3 * plane) = smg_odd_bytes(back);
        x += 2 * step;
    }
    if (to != end) {
        smg_depthwise_s8_dsp_put4(smg_load_word(x), to, plane);
    }
}

/* `planes` channels from x into the planes; the padding around stays. */
SMG_INLINE void smg_depthwise_s8_dsp_copy(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                          smg_pair_t *planes) {
    const int32_t plane = 2 * op->plane_cols * op->plane_pairs;
    smg_half_t *to = (smg_half_t *)(void *)planes + 2 * op->left * op->plane_pairs + op->top;
    for (int32_t c = 0; c < op->cols; ++c) {
        if (op->planes == 4) {
            smg_depthwise_s8_dsp_column4(x, op->row_step, op->rows, to, plane);
        } else {
            const int8_t *from = x;
            for (int32_t r = 0; r < op->rows; ++r) {
                to[r] = *from;
                from += op->row_step;
            }
        }
        x += op->col_step;
        to += 2 * op->plane_pairs;
    }
}

/* The weights of one channel, doubled, as pairs that start at even rows; with stride 1 each is
 * followed by the pair that starts one row before it. */
SMG_INLINE const int8_t *smg_depthwise_s8_dsp_weights(const int8_t *weights, smg_pair_t *to,
                                                      int32_t taps, int32_t cols, int32_t stride) {
    for (int32_t c = 0; c < cols; ++c) {
        int32_t before = 0;
        for (int32_t t = 0; t < taps + (stride & 1); t += 2) {
            const int32_t even = t < taps ? 2 * *weights++ : 0;
            const int32_t odd = t + 1 < taps ? 2 * *weights++ : 0;
            *to++ = smg_pair(even, odd);
            if (stride == 1) {
                *to++ = smg_pair(before, even);
            }
            before = odd;
        }
    }
    return weights;
}

SMG_INLINE int8_t smg_depthwise_s8_dsp_output(const smg_depthwise_s8_dsp_t *op,
                                              const smg_depthwise_s8_dsp_scale_t *scale,
                                              int32_t doubled, bool simple) {
    if (simple) {
        const int32_t x = smg_high_mul_doubled(doubled, scale->mantissa);
        return (int8_t)__ssat((x + (x >> 31) + scale->offset) >> scale->shift, 8);
    }
    const int32_t x = smg_requantize(doubled >> 1, scale->mantissa, -scale->shift);
    return (int8_t)smg_clamp(x + op->out_zero_point, op->low, op->high);
}

/* Four sums down a column: the window's columns are `step` words apart. */
SMG_INLINE void smg_depthwise_s8_dsp_sums(const smg_pair_t *x, int32_t step, const smg_pair_t *w,
                                          int32_t taps, int32_t cols, int32_t stride,
                                          int32_t *sums) {
    for (int32_t c = 0; c < cols; ++c) {
        const smg_pair_t *p = x;
        if (stride == 1) {
            int32_t here = *p++;
            for (int32_t t = 0; t <= taps; t += 2) {
                const int32_t next = *p++, even = w[0], odd = w[1];
                sums[0] = smg_dot(here, even, sums[0]);
                sums[1] = smg_dot(here, odd, sums[1]);
                sums[2] = smg_dot(next, even, sums[2]);
                sums[3] = smg_dot(next, odd, sums[3]);
                here = next;
                w += 2;
            }
        } else {
            for (int32_t t = 0; t < taps; t += 2) {
                const int32_t even = *w++;
                sums[0] = smg_dot(p[0], even, sums[0]);
                sums[1] = smg_dot(p[1], even, sums[1]);
                sums[2] = smg_dot(p[2], even, sums[2]);
                sums[3] = smg_dot(p[3], even, sums[3]);
                ++p;
            }
        }
        x += step;
    }
}

/* One output channel from one plane. */
SMG_INLINE void smg_depthwise_s8_dsp_channel(const smg_depthwise_s8_dsp_t *op,
                                             const smg_pair_t *plane, const smg_pair_t *weights,
                                             const smg_depthwise_s8_dsp_scale_t *scale, int8_t *y,
                                             int32_t taps, int32_t cols, int32_t stride,
                                             bool simple) {
    const int32_t step = op->dilation_cols * op->plane_pairs;
    const int32_t row = op->out_row_step;
    for (int32_t c = 0; c < op->out_cols; ++c) {
        const smg_pair_t *x = plane;
        int8_t *to = y;
        for (int32_t left = op->out_rows; left > 0; left -= 4) {
            int32_t sums[4] = {scale->bias, scale->bias, scale->bias, scale->bias};
            smg_depthwise_s8_dsp_sums(x, step, weights, taps, cols, stride, sums);
            x += 2 * stride;
            to[0] = smg_depthwise_s8_dsp_output(op, scale, sums[0], simple);
            if (left >= 4) {
                to[row] = smg_depthwise_s8_dsp_output(op, scale, sums[1], simple);
                to[2 * row] = smg_depthwise_s8_dsp_output(op, scale, sums[2], simple);
                to[3 * row] = smg_depthwise_s8_dsp_output(op, scale, sums[3], simple);
                to += 4 * row;
            } else {
                for (int32_t k = 1; k < left; ++k) {
                    sums[1] = k == 2 ? sums[2] : sums[1];
                    to += row;
                    *to = smg_depthwise_s8_dsp_output(op, scale, sums[1], simple);
                }
            }
        }
        plane += op->stride_cols * op->plane_pairs;
        y += op->out_col_step;
    }
}

SMG_INLINE void smg_depthwise_s8_dsp_layer(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch, int32_t taps, int32_t cols,
                                           int32_t stride, bool simple) {
    smg_pair_t *const planes = (smg_pair_t *)(void *)scratch;
    const int32_t words = op->plane_cols * op->plane_pairs;
    smg_pair_t *const weights = planes + op->planes * words;
    const int8_t *packed = op->weights;
    for (int32_t k = 0; k < op->planes * words; ++k) {
        planes[k] = smg_pair(op->zero_point, op->zero_point);
    }
    int32_t o = 0;
    for (int32_t i = 0; i < op->channels; i += op->planes) {
        smg_depthwise_s8_dsp_copy(op, x + i, planes);
        for (int32_t k = 0; k < op->planes * op->multiplier; ++k) {
            const smg_pair_t *const plane = planes + k / op->multiplier * words;
            const int32_t shift = -op->shifts[o];
            const smg_depthwise_s8_dsp_scale_t scale = {
                op->bias[o], op->mantissas[o], shift,
                simple ? (op->out_zero_point << shift) + (1 << (shift - 1)) : 0};
            packed = smg_depthwise_s8_dsp_weights(packed, weights, taps, cols, stride);
            smg_depthwise_s8_dsp_channel(op, plane, weights, &scale, y + o, taps, cols, stride,
                                         simple);
            ++o;
        }
    }
}

SMG_KERNEL void smg_depthwise_s8_dsp_3x3(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                         int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 3, 3, 1, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_3x3_stride2(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                                 int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 3, 3, 2, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_stride1(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, op->win_rows, op->win_cols, 1, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_stride2(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, op->win_rows, op->win_cols, 2, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_any(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                         int8_t *y, uint8_t *scratch) {
    if (op->stride_rows == 1) {
        smg_depthwise_s8_dsp_layer(op, x, y, scratch, op->win_rows, op->win_cols, 1, false);
    } else {
        smg_depthwise_s8_dsp_layer(op, x, y, scratch, op->win_rows, op->win_cols, 2, false);
    }
}

#endif
