/* smg_depthwise_s8_dsp: depthwise convolution on int8 for Arm cores with the DSP extension.
 *
 * y[r,c,o] = clamp(zp_y + requant(b[o] + sum_{h,w} w[h,w,o] * (x[.., .., o / multiplier] - zp_x)))
 *
 * Zero points are folded into the bias, so padding counts as zp_x. Input channels are copied, one
 * or two at a time, to planes of 16-bit values with padding around, in which two rows lie
 * interleaved: one word holds two taps for SMLAD. Outputs are made four down a column, so that
 * weights and values are loaded once for all. The caller may swap rows and columns.
 *
 * Requantisation, by the name of the function:
 *   .._line: u = 256 * scale * sum + bias, y = ((u * slope >> 32) + addend) >> 16
 *           (ops/support/line.py); planes hold 256 times the inputs, and weights are multiplied by
 *           the scale, so that u is the sum
 *   .._shift: h = high_mul(sum + bias, mantissa), y = (h - (h < 0) + addend) >> factor, where
 *           the addend is (zp_y + 1/2) * 2^factor and the factor from 1 to 22
 *   .._any: as smg_requantize; factors are its shifts; any clamp
 * The first two saturate to int8. Sums and biases of the latter two are kept doubled, so that
 * SMMULR is the high product. Exact: equals the reference of DepthwiseConv2D bit for bit where
 * ops/support/columns.py found the constants, and |accumulator| < 2^30.
 * Scratch: planes * plane_words words, and the weights of one channel (bands: of as many channels
 * as there are planes), aligned to 4. Nothing is
 * written before the input channel that it needs is copied as a whole: y may be x if multiplier
 * is 1.
 */
#ifndef SMG_DEPTHWISE_S8_DSP_H
#define SMG_DEPTHWISE_S8_DSP_H

#include "smg_depthwise_3x3_dsp.h"
#include "smg_dsp.h"
#include "smg_planes_dsp.h"

typedef struct {
    int32_t channels, multiplier;
    smg_planes_t copy;
    smg_depthwise_walk_t walk;
    int32_t taps, win_cols, steps; /* window rows, columns; pairs of rows (even with stride 2) */
    int32_t planes;
    int32_t weight_words; /* of one channel's scaling and weights in scratch */
    int32_t first;        /* the half of a plane that the first input goes to */
    int32_t tile_cols, tile_in_cols, tile_step, left; /* for tiles, see below */
    int32_t padding, scale, addend; /* padding: what planes hold outside of the image */
    int32_t out_zero_point, low, high;
    const int8_t *weights; /* [output channel][column][row] */
    const int32_t *bias;
    const int32_t *mantissas; /* or slopes */
    const int8_t *factors;
} smg_depthwise_s8_dsp_t;

/* What one channel needs, in scratch: how sums become outputs, then its weights as pairs. */
enum { SMG_DW_BIAS, SMG_DW_MANTISSA, SMG_DW_FACTOR, SMG_DW_ADDEND, SMG_DW_WEIGHTS };
enum { SMG_DW_LINE, SMG_DW_SHIFT, SMG_DW_ANY };

/* The weights of a 3x3 window, `scale` times: a column (w0, w1, w2) as the pairs (w0, w1), (w1,
 * w2), with stride 2 as (w0, w1), (w2, 0). Returns what follows them. */
SMG_NOINLINE static const int8_t *smg_depthwise_s8_dsp_weights_3x3(const int8_t *weights,
                                                                   smg_pair_t *to, int32_t stride,
                                                                   int32_t scale) {
    SMG_ROLLED
    for (int32_t c = 0; c < 3; ++c) {
        const int32_t w0 = scale * weights[0], w1 = scale * weights[1], w2 = scale * weights[2];
        to[0] = smg_pair(w0, w1);
        to[1] = stride == 1 ? smg_pair(w1, w2) : smg_pair(w2, 0);
        to += 2;
        weights += 3;
    }
    return weights;
}

/* The weights of any window for stride 1: each pair that starts at an even row (w0, w1) is followed
 * by the pair that starts one row before it (0, w0), and so on. One half beyond is written. */
SMG_INLINE const int8_t *smg_depthwise_s8_dsp_weights_stride1(const int8_t *weights, smg_half_t *to,
                                                              int32_t taps, int32_t cols,
                                                              int32_t scale) {
    SMG_ROLLED
    for (int32_t c = cols; c > 0; --c) {
        to[2] = 0;
        SMG_ROLLED
        for (int32_t t = taps; t > 0; t -= 2) {
            const smg_half_t first = (smg_half_t)(scale * *weights++);
            const smg_half_t second = (smg_half_t)(t > 1 ? scale * *weights++ : 0);
            to[0] = first;
            to[1] = second;
            to[3] = first;
            to[6] = second;
            to += 4;
        }
        if ((taps & 1) == 0) {
            to[0] = 0;
            to[1] = 0;
            to[3] = 0;
            to += 4;
        }
    }
    return weights;
}

/* The weights of any window for stride 2: `halves` for each column, filled up with 0. */
SMG_INLINE const int8_t *smg_depthwise_s8_dsp_weights_stride2(const int8_t *weights, smg_half_t *to,
                                                              int32_t taps, int32_t cols,
                                                              int32_t halves, int32_t scale) {
    SMG_ROLLED
    for (int32_t c = cols; c > 0; --c) {
        SMG_ROLLED
        for (int32_t t = 0; t < halves; ++t) {
            *to++ = (smg_half_t)(t < taps ? scale * *weights++ : 0);
        }
    }
    return weights;
}

/* Four sums down a column for any window; `steps` as in smg_depthwise_s8_dsp_steps. */
SMG_INLINE void smg_depthwise_s8_dsp_sums_any(const smg_pair_t *x, const smg_pair_t *channel,
                                              int32_t step, int32_t stride, int32_t cols,
                                              int32_t steps, int32_t start, int32_t *sums) {
    const smg_pair_t *w = channel + SMG_DW_WEIGHTS;
    int32_t a = start, b = a, c = a, d = a;
    for (int32_t k = 0; k < cols; ++k) {
        const smg_pair_t *from = x + k * step;
        int32_t p, q, u, v, n = steps;
        if (stride == 1) {
            __asm__("ldr %[p], [%[x]], #4\n\t"
                    "1:\n\t"
                    "ldrd %[u], %[v], [%[w]], #8\n\t"
                    "smlad %[a], %[p], %[u], %[a]\n\t"
                    "smlad %[b], %[p], %[v], %[b]\n\t"
                    "ldr %[p], [%[x]], #4\n\t"
                    "subs %[n], %[n], #1\n\t"
                    "smlad %[c], %[p], %[u], %[c]\n\t"
                    "smlad %[d], %[p], %[v], %[d]\n\t"
                    "bne 1b"
                    : [a] "+&r"(a), [b] "+&r"(b), [c] "+&r"(c), [d] "+&r"(d), [x] "+&r"(from),
                      [w] "+&r"(w), [n] "+&r"(n), [p] "=&r"(p), [u] "=&r"(u), [v] "=&r"(v)
                    :
                    : "cc", "memory");
        } else {
            __asm__(
                "1:\n\t"
                "ldrd %[u], %[v], [%[w]], #8\n\t"
                "ldrd %[p], %[q], [%[x]], #8\n\t"
                "smlad %[a], %[p], %[u], %[a]\n\t"
                "smlad %[b], %[q], %[u], %[b]\n\t"
                "smlad %[a], %[q], %[v], %[a]\n\t"
                "ldrd %[p], %[q], [%[x]]\n\t"
                "smlad %[c], %[p], %[u], %[c]\n\t"
                "smlad %[b], %[p], %[v], %[b]\n\t"
                "smlad %[d], %[q], %[u], %[d]\n\t"
                "ldr %[p], [%[x], #8]\n\t"
                "smlad %[c], %[q], %[v], %[c]\n\t"
                "subs %[n], %[n], #2\n\t"
                "smlad %[d], %[p], %[v], %[d]\n\t"
                "bne 1b"
                : [a] "+&r"(a), [b] "+&r"(b), [c] "+&r"(c), [d] "+&r"(d), [x] "+&r"(from),
                  [w] "+&r"(w), [n] "+&r"(n), [p] "=&r"(p), [q] "=&r"(q), [u] "=&r"(u), [v] "=&r"(v)
                :
                : "cc", "memory");
        }
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* Four sums to outputs. */
SMG_INLINE void smg_depthwise_s8_dsp_finish(const smg_pair_t *channel, bool line, int32_t *sums) {
    const int32_t mantissa = channel[SMG_DW_MANTISSA], factor = channel[SMG_DW_FACTOR];
    for (int32_t k = 0; k < 4; ++k) {
        if (line) {
            sums[k] = smg_clamp(smg_high_sum(sums[k], mantissa, factor) >> 16, -128, 127);
        } else {
            const int32_t high = smg_high_mul_doubled(sums[k], mantissa);
            const int32_t sum = high + channel[SMG_DW_ADDEND] + (high >> 31);
            sums[k] = smg_clamp(sum >> factor, -128, 127);
        }
    }
}

SMG_INLINE void smg_depthwise_s8_dsp_finish_any(const smg_depthwise_s8_dsp_t *op,
                                                const smg_pair_t *channel, int32_t *sums) {
    SMG_ROLLED
    for (int32_t k = 0; k < 4; ++k) {
        const int32_t x =
            smg_requantize(sums[k] >> 1, channel[SMG_DW_MANTISSA], channel[SMG_DW_FACTOR]);
        sums[k] = smg_clamp(x + op->out_zero_point, op->low, op->high);
    }
}

/* The first `count` of four outputs down a column; returns the place of the next one. */
SMG_INLINE int8_t *smg_depthwise_s8_dsp_store(const int32_t *outputs, int32_t count, int8_t *y,
                                              int32_t row) {
    if (count >= 4) {
        __asm__ volatile("strb %[a], [%[y]]\n\t"
                         "strb %[b], [%[y], %[row]]\n\t"
                         "add %[y], %[y], %[row], lsl #1\n\t"
                         "strb %[c], [%[y]]\n\t"
                         "strb %[d], [%[y], %[row]]\n\t"
                         "add %[y], %[y], %[row], lsl #1"
                         : [y] "+&r"(y)
                         : [a] "r"(outputs[0]), [b] "r"(outputs[1]), [c] "r"(outputs[2]),
                           [d] "r"(outputs[3]), [row] "r"(row)
                         : "memory");
        return y;
    }
    *y = (int8_t)outputs[0];
    if (count >= 2) {
        y[row] = (int8_t)outputs[1];
    }
    if (count == 3) {
        y[2 * row] = (int8_t)outputs[2];
    }
    return y;
}

/* One output channel from one plane, any window. */
SMG_INLINE void smg_depthwise_s8_dsp_outputs(const smg_depthwise_s8_dsp_t *op,
                                             const smg_depthwise_walk_t *walk,
                                             const smg_pair_t *plane, const smg_pair_t *channel,
                                             int8_t *y, int32_t stride, int32_t form,
                                             int32_t mode) {
    const int32_t row = walk->row_step;
    SMG_ROLLED
    for (int32_t c = walk->cols; c > 0; --c) {
        const smg_pair_t *x = plane;
        int8_t *to = y;
        SMG_ROLLED
        for (int32_t left = smg_opaque(walk->rows); left > 0; left -= 4) {
            int32_t sums[4];
            smg_depthwise_s8_dsp_sums_any(x, channel, walk->window_bytes >> 2, stride,
                                          form == 1 ? 1 : op->win_cols, op->steps,
                                          channel[SMG_DW_BIAS], sums);
            if (mode != SMG_DW_ANY) {
                smg_depthwise_s8_dsp_finish(channel, mode == SMG_DW_LINE, sums);
            } else {
                smg_depthwise_s8_dsp_finish_any(op, channel, sums);
            }
            to = smg_depthwise_s8_dsp_store(sums, left, to, row);
            x += 2 * stride;
        }
        plane += walk->output_bytes >> 2;
        y += walk->col_step;
    }
}

/* One output channel from one plane; `form` is 3 for windows of 3x3, 1 for windows of one column,
 * 0 for all. */
SMG_INLINE void smg_depthwise_s8_dsp_channel(const smg_depthwise_s8_dsp_t *op,
                                             const smg_depthwise_walk_t *walk,
                                             const smg_pair_t *plane, const smg_pair_t *channel,
                                             int8_t *y, int32_t stride, int32_t form,
                                             int32_t mode) {
    if (form != 3) {
        smg_depthwise_s8_dsp_outputs(op, walk, plane, channel, y, stride, form, mode);
    } else if (stride == 1 && mode == SMG_DW_LINE) {
        smg_depthwise_3x3_stride1_line(walk, plane, channel, y);
    } else if (stride == 1) {
        smg_depthwise_3x3_stride1_shift(walk, plane, channel, y);
    } else if (mode == SMG_DW_LINE) {
        smg_depthwise_3x3_stride2_line(walk, plane, channel, y);
    } else {
        smg_depthwise_3x3_stride2_shift(walk, plane, channel, y);
    }
}

/* What output channel o needs, to scratch; returns its successor's weights. */
SMG_INLINE const int8_t *smg_depthwise_s8_dsp_prepare(const smg_depthwise_s8_dsp_t *op, int32_t o,
                                                      const int8_t *packed, smg_pair_t *channel,
                                                      int32_t stride, int32_t form, int32_t mode) {
    const int32_t scale = op->scale;
    smg_pair_t *const to = channel + SMG_DW_WEIGHTS;
    channel[SMG_DW_BIAS] = op->bias[o];
    channel[SMG_DW_MANTISSA] = op->mantissas[o];
    channel[SMG_DW_FACTOR] = mode == SMG_DW_LINE ? op->addend : op->factors[o];
    if (mode == SMG_DW_SHIFT) {
        channel[SMG_DW_ADDEND] = (2 * op->out_zero_point + 1) * (1 << (op->factors[o] - 1));
    }
    if (form == 3) {
        return smg_depthwise_s8_dsp_weights_3x3(packed, to, stride, scale);
    }
    smg_half_t *const halves = (smg_half_t *)(void *)to;
    const int32_t cols = form == 1 ? 1 : op->win_cols;
    return stride == 1 ? smg_depthwise_s8_dsp_weights_stride1(packed, halves, op->taps, cols, scale)
                       : smg_depthwise_s8_dsp_weights_stride2(packed, halves, op->taps, cols,
                                                              2 * op->steps, scale);
}

/* Padding from `at` to `end`. */
SMG_INLINE void smg_depthwise_s8_dsp_pad(const smg_depthwise_s8_dsp_t *op, smg_pair_t *at,
                                         const smg_pair_t *end) {
    const smg_pair_t padding = smg_pair(op->padding, op->padding);
    SMG_ROLLED
    while (at != end) {
        *at++ = padding;
    }
}

/* `count` words to lower addresses. */
SMG_INLINE void smg_depthwise_s8_dsp_move(smg_pair_t *to, const smg_pair_t *from, int32_t count) {
    SMG_ROLLED
    for (; count >= 4; count -= 4) {
        const smg_pair_t a = from[0], b = from[1], c = from[2], d = from[3];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
        to += 4;
        from += 4;
    }
    SMG_ROLLED
    for (; count > 0; --count) {
        *to++ = *from++;
    }
}

/* `count` channels, 1 or 2, from x to as many planes, from half `first` of each on. */
SMG_INLINE void smg_depthwise_s8_dsp_copy(const smg_planes_t *copy, const int8_t *x,
                                          smg_pair_t *planes, int32_t first, int32_t count,
                                          int32_t mode) {
    smg_half_t *const to = (smg_half_t *)(void *)planes + first;
    if (mode == SMG_DW_LINE) {
        smg_planes_copy_high(copy, x, to, count);
    } else {
        smg_planes_copy_low(copy, x, to, count);
    }
}

SMG_INLINE void smg_depthwise_s8_dsp_layer(const smg_depthwise_s8_dsp_t *op,
                                           const smg_planes_t *copy,
                                           const smg_depthwise_walk_t *walk, int32_t first,
                                           const int8_t *x, int8_t *y, uint8_t *scratch,
                                           int32_t stride, int32_t form, int32_t mode) {
    smg_pair_t *const planes = (smg_pair_t *)(void *)scratch;
    smg_pair_t *const channel = planes + op->planes * copy->plane_words;
    const int8_t *packed = op->weights;
    smg_depthwise_s8_dsp_pad(op, planes, channel);
    int32_t o = 0, count = 0;
    SMG_ROLLED
    for (int32_t i = 0; i < op->channels; i += count) {
        count = i + op->planes <= op->channels ? op->planes : 1;
        smg_depthwise_s8_dsp_copy(copy, x + i, planes, first, count, mode);
        const smg_pair_t *plane = planes;
        SMG_ROLLED
        for (int32_t k = count; k > 0; --k) {
            SMG_ROLLED
            for (int32_t m = op->multiplier; m > 0; --m) {
                packed = smg_depthwise_s8_dsp_prepare(op, o, packed, channel, stride, form, mode);
                smg_depthwise_s8_dsp_channel(op, walk, plane, channel, y + o, stride, form, mode);
                ++o;
            }
            plane += copy->plane_words;
        }
    }
}

/* All columns at once. */
SMG_INLINE void smg_depthwise_s8_dsp_whole(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch, int32_t stride,
                                           int32_t form, int32_t mode) {
    smg_depthwise_s8_dsp_layer(op, &op->copy, &op->walk, op->first, x, y, scratch, stride, form,
                               mode);
}

/* The same, `tile_cols` columns of outputs at a time, from `tile_in_cols` columns of padded inputs:
 * scratch for part of a channel will do. Each tile starts `tile_step` columns after the one before.
 */
SMG_INLINE void smg_depthwise_s8_dsp_tiles(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch, int32_t stride,
                                           int32_t form, int32_t mode) {
    smg_planes_t copy = op->copy;
    smg_depthwise_walk_t walk = op->walk;
    int32_t start = -op->left;
    SMG_ROLLED
    for (int32_t left = op->walk.cols; left > 0; left -= op->tile_cols) {
        const int32_t from = smg_min(smg_max(start, 0), op->copy.cols);
        walk.cols = smg_min(left, op->tile_cols);
        copy.cols = smg_min(start + op->tile_in_cols, op->copy.cols) - from;
        const int32_t first = op->first + 2 * (from - start) * copy.column_words;
        smg_depthwise_s8_dsp_layer(op, &copy, &walk, first, x + from * copy.col_step, y, scratch,
                                   stride, form, mode);
        y += op->tile_cols * walk.col_step;
        start += op->tile_step;
    }
}

/* The same in place: one or two channels at a time, and in them `tile_cols` columns of outputs. The
 * inputs that a band shares with the next one move to the front of the plane before they are
 * written over. */
SMG_INLINE void smg_depthwise_s8_dsp_bands(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch, int32_t stride,
                                           int32_t form, int32_t mode) {
    smg_planes_t copy = op->copy;
    smg_depthwise_walk_t walk = op->walk;
    smg_pair_t *const planes = (smg_pair_t *)(void *)scratch;
    smg_pair_t *const channels = planes + op->planes * copy.plane_words;
    const int32_t shared = op->tile_in_cols - op->tile_step, words = copy.column_words;
    const int8_t *packed = op->weights;
    int32_t count = 0;
    smg_depthwise_s8_dsp_pad(op, planes, channels);
    SMG_ROLLED
    for (int32_t o = 0; o < op->channels; o += count) {
        count = o + op->planes <= op->channels ? op->planes : 1;
        SMG_ROLLED
        for (int32_t k = 0; k < count; ++k) {
            packed = smg_depthwise_s8_dsp_prepare(
                op, o + k, packed, channels + k * op->weight_words, stride, form, mode);
            smg_pair_t *const plane = planes + k * copy.plane_words;
            smg_depthwise_s8_dsp_pad(op, plane, plane + op->left * words);
        }
        const int8_t *from = x + o;
        int8_t *to = y + o;
        int32_t known = op->left, unread = op->copy.cols;
        SMG_ROLLED
        for (int32_t left = op->walk.cols; left > 0; left -= op->tile_cols) {
            copy.cols = smg_min(op->tile_in_cols - known, unread);
            smg_depthwise_s8_dsp_copy(&copy, from, planes, op->first + 2 * known * words, count,
                                      mode);
            known += copy.cols;
            walk.cols = smg_min(left, op->tile_cols);
            SMG_ROLLED
            for (int32_t k = 0; k < count; ++k) {
                smg_pair_t *const plane = planes + k * copy.plane_words;
                smg_depthwise_s8_dsp_pad(op, plane + known * words, plane + copy.plane_words);
                smg_depthwise_s8_dsp_channel(op, &walk, plane, channels + k * op->weight_words,
                                             to + k, stride, form, mode);
                smg_depthwise_s8_dsp_move(plane, plane + op->tile_step * words, shared * words);
            }
            from += copy.cols * copy.col_step;
            unread -= copy.cols;
            known = shared;
            to += op->tile_cols * walk.col_step;
        }
    }
}

#define SMG_DW_FUNCTION(suffix, stride, form, walk, mode)                                          \
    SMG_KERNEL void smg_depthwise_s8_dsp_##suffix(const smg_depthwise_s8_dsp_t *op,                \
                                                  const int8_t *x, int8_t *y, uint8_t *scratch) {  \
        smg_depthwise_s8_dsp_##walk(op, x, y, scratch, stride, form, mode);                        \
    }

#define SMG_DW_FUNCTIONS(suffix, stride, form, walk)                                               \
    SMG_DW_FUNCTION(suffix##_line, stride, form, walk, SMG_DW_LINE)                                \
    SMG_DW_FUNCTION(suffix##_shift, stride, form, walk, SMG_DW_SHIFT)

SMG_DW_FUNCTIONS(3x3_stride1, 1, 3, whole)
SMG_DW_FUNCTIONS(3x3_stride2, 2, 3, whole)
SMG_DW_FUNCTIONS(3x3_bands_stride1, 1, 3, bands)
SMG_DW_FUNCTIONS(3x3_bands_stride2, 2, 3, bands)
SMG_DW_FUNCTIONS(column_stride1, 1, 1, whole)
SMG_DW_FUNCTIONS(column_stride2, 2, 1, whole)
SMG_DW_FUNCTIONS(window_stride1, 1, 0, tiles)
SMG_DW_FUNCTIONS(window_stride2, 2, 0, tiles)
SMG_DW_FUNCTIONS(window_bands_stride1, 1, 0, bands)
SMG_DW_FUNCTIONS(window_bands_stride2, 2, 0, bands)
SMG_DW_FUNCTION(window_stride1_any, 1, 0, tiles, SMG_DW_ANY)
SMG_DW_FUNCTION(window_stride2_any, 2, 0, tiles, SMG_DW_ANY)
SMG_DW_FUNCTION(window_bands_stride1_any, 1, 0, bands, SMG_DW_ANY)
SMG_DW_FUNCTION(window_bands_stride2_any, 2, 0, bands, SMG_DW_ANY)

#undef SMG_DW_FUNCTIONS
#undef SMG_DW_FUNCTION

#endif
