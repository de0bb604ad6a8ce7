/* smg_depthwise_s8_dsp: depthwise convolution on int8 for Arm cores with the DSP extension.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w} w[h,w,o] * x[.., .., o / multiplier]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. Input channels are
 * copied, one or four at a time, to planes of 16-bit values with padding around, in which two rows
 * lie interleaved: one word holds two taps for SMLAD. Outputs are made four down a column, so that
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
    int32_t steps; /* pairs of taps in a window column; even with stride 2 */
    int32_t zero_point, out_zero_point, low, high;
    const int8_t *weights; /* [output channel][column][row] */
    const int32_t *bias;   /* doubled */
    const int32_t *mantissas;
    const int8_t *shifts;
} smg_depthwise_s8_dsp_t;

/* What one channel needs, in scratch: how sums become outputs, then its weights as pairs. */
enum { SMG_DW_BIAS, SMG_DW_MANTISSA, SMG_DW_OFFSET, SMG_DW_SHIFT, SMG_DW_WEIGHTS };

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
    SMG_ROLLED
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
            SMG_ROLLED
            for (int32_t r = 0; r < op->rows; ++r) {
                to[r] = *from;
                from += op->row_step;
            }
        }
        x += op->col_step;
        to += 2 * op->plane_pairs;
    }
}

/* Weight t of a window column, doubled; 0 beyond its ends. */
SMG_INLINE int32_t smg_depthwise_s8_dsp_tap(const int8_t *column, int32_t t, int32_t taps) {
    return t >= 0 && t < taps ? 2 * column[t] : 0;
}

/* The weights of one channel, as pairs that start at even rows; with stride 1 each is followed by
 * the pair that starts one row before it (after it where there are but three rows). */
SMG_INLINE const int8_t *smg_depthwise_s8_dsp_weights(const int8_t *weights, smg_pair_t *to,
                                                      int32_t taps, int32_t cols, int32_t stride,
                                                      int32_t steps, bool three) {
    for (int32_t c = 0; c < cols; ++c) {
        for (int32_t t = 0; t < 2 * steps; t += 2) {
            const int32_t first = smg_depthwise_s8_dsp_tap(weights, t, taps);
            const int32_t second = smg_depthwise_s8_dsp_tap(weights, t + 1, taps);
            const int32_t shifted = smg_depthwise_s8_dsp_tap(weights, t + (three ? 2 : -1), taps);
            *to++ = smg_pair(first, second);
            if (stride == 1) {
                *to++ = three ? smg_pair(second, shifted) : smg_pair(shifted, first);
            }
        }
        weights += taps;
    }
    return weights;
}

/* Four sums down a column for a 3x3 window with stride 1, whose columns are `step` bytes apart.
 * Per column: weights (w0,w1), (w1,w2); values (x0,x1), (x2,x3), (x4,x5). */
#define SMG_DW_COLUMN_3(at, s0, s1, s2, s3)                                                        \
    "ldrd %[u], %[v], [%[w], #" at "]\n\t"                                                         \
    "ldrd %[p], %[q], [%[x]]\n\t"                                                                  \
    "smlad %[a], %[p], %[u], " s0 "\n\t"                                                           \
    "smlatb %[b], %[p], %[u], " s1 "\n\t"                                                          \
    "smlad %[c], %[q], %[u], " s2 "\n\t"                                                           \
    "smlatb %[d], %[q], %[u], " s3 "\n\t"                                                          \
    "ldr %[p], [%[x], #8]\n\t"                                                                     \
    "smlabt %[a], %[q], %[v], %[a]\n\t"                                                            \
    "smlad %[b], %[q], %[v], %[b]\n\t"                                                             \
    "smlabt %[c], %[p], %[v], %[c]\n\t"                                                            \
    "smlad %[d], %[p], %[v], %[d]\n\t"

/* The same with stride 2: weights (w0,w1), (w2,0); values (x0,x1) to (x8,x9). */
#define SMG_DW_COLUMN_3_STRIDE2(at, s0, s1, s2, s3)                                                \
    "ldrd %[u], %[v], [%[w], #" at "]\n\t"                                                         \
    "ldrd %[p], %[q], [%[x]]\n\t"                                                                  \
    "smlad %[a], %[p], %[u], " s0 "\n\t"                                                           \
    "smlad %[b], %[q], %[u], " s1 "\n\t"                                                           \
    "smlabb %[a], %[q], %[v], %[a]\n\t"                                                            \
    "ldrd %[p], %[q], [%[x], #8]\n\t"                                                              \
    "smlad %[c], %[p], %[u], " s2 "\n\t"                                                           \
    "smlabb %[b], %[p], %[v], %[b]\n\t"                                                            \
    "smlad %[d], %[q], %[u], " s3 "\n\t"                                                           \
    "ldr %[p], [%[x], #16]\n\t"                                                                    \
    "smlabb %[c], %[q], %[v], %[c]\n\t"                                                            \
    "smlabb %[d], %[p], %[v], %[d]\n\t"

#define SMG_DW_THREE_COLUMNS(COLUMN)                                                               \
    __asm__("ldr %[d], [%[w]]\n\t" COLUMN(                                                         \
                "16", "%[d]", "%[d]", "%[d]",                                                      \
                "%[d]") "add %[x], %[x], %[step]\n\t" COLUMN("24", "%[a]", "%[b]", "%[c]",         \
                                                             "%[d]") "add %[x], %[x], "            \
                                                                     "%[step]\n\t" COLUMN(         \
                                                                         "32", "%[a]", "%[b]",     \
                                                                         "%[c]", "%[d]")           \
            : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [x] "+&r"(x), [u] "=&r"(u),  \
              [v] "=&r"(v), [p] "=&r"(p), [q] "=&r"(q)                                             \
            : [w] "r"(channel), [step] "r"(step)                                                   \
            : "memory")

SMG_INLINE void smg_depthwise_s8_dsp_sums_3x3(const smg_pair_t *x, const smg_pair_t *channel,
                                              int32_t step, int32_t stride, int32_t *sums) {
    int32_t a, b, c, d, u, v, p, q;
    if (stride == 1) {
        SMG_DW_THREE_COLUMNS(SMG_DW_COLUMN_3);
    } else {
        SMG_DW_THREE_COLUMNS(SMG_DW_COLUMN_3_STRIDE2);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* Four sums down a column for any window; `steps` as in smg_depthwise_s8_dsp_steps. */
SMG_INLINE void smg_depthwise_s8_dsp_sums_any(const smg_pair_t *x, const smg_pair_t *channel,
                                              int32_t step, int32_t stride, int32_t cols,
                                              int32_t steps, int32_t *sums) {
    const smg_pair_t *w = channel + SMG_DW_WEIGHTS;
    int32_t a = channel[SMG_DW_BIAS], b = a, c = a, d = a;
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

/* Four doubled sums to outputs, by a clamp to int8 and right shifts of 1 to 22. */
#define SMG_DW_FINISH(sum)                                                                         \
    "smmulr " sum ", " sum ", %[u]\n\t"                                                            \
    "add %[q], " sum ", %[v]\n\t"                                                                  \
    "add " sum ", %[q], " sum ", asr #31\n\t"                                                      \
    "asr " sum ", " sum ", %[p]\n\t"                                                               \
    "ssat " sum ", #8, " sum "\n\t"

SMG_INLINE void smg_depthwise_s8_dsp_finish(const smg_pair_t *channel, int32_t *sums) {
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3], u, v, p, q;
    __asm__("ldrd %[u], %[v], [%[w], #4]\n\t"
            "ldr %[p], [%[w], #12]\n\t" SMG_DW_FINISH("%[a]") SMG_DW_FINISH("%[b]")
                SMG_DW_FINISH("%[c]") SMG_DW_FINISH("%[d]")
            : [a] "+&r"(a), [b] "+&r"(b), [c] "+&r"(c), [d] "+&r"(d), [u] "=&r"(u), [v] "=&r"(v),
              [p] "=&r"(p), [q] "=&r"(q)
            : [w] "r"(channel)
            : "memory");
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

SMG_INLINE void smg_depthwise_s8_dsp_finish_any(const smg_depthwise_s8_dsp_t *op,
                                                const smg_pair_t *channel, int32_t *sums) {
    SMG_ROLLED
    for (int32_t k = 0; k < 4; ++k) {
        const int32_t x =
            smg_requantize(sums[k] >> 1, channel[SMG_DW_MANTISSA], -channel[SMG_DW_SHIFT]);
        sums[k] = smg_clamp(x + op->out_zero_point, op->low, op->high);
    }
}

/* `count` of four outputs down a column. */
SMG_INLINE void smg_depthwise_s8_dsp_store(const int32_t *outputs, int32_t count, int8_t *y,
                                           int32_t row) {
    y[0] = (int8_t)outputs[0];
    if (count >= 4) {
        y[row] = (int8_t)outputs[1];
        y[2 * row] = (int8_t)outputs[2];
        y += row;
        y[2 * row] = (int8_t)outputs[3];
    } else if (count >= 2) {
        y[row] = (int8_t)outputs[1];
        if (count == 3) {
            y[2 * row] = (int8_t)outputs[2];
        }
    }
}

/* One output channel from one plane. */
SMG_INLINE void smg_depthwise_s8_dsp_channel(const smg_depthwise_s8_dsp_t *op,
                                             const smg_pair_t *plane, const smg_pair_t *channel,
                                             int8_t *y, int32_t stride, bool three, bool simple) {
    const int32_t step = op->dilation_cols * op->plane_pairs;
    const int32_t row = op->out_row_step;
    for (int32_t c = 0; c < op->out_cols; ++c) {
        const smg_pair_t *x = plane;
        int8_t *to = y;
        int32_t left = smg_opaque(op->out_rows);
        SMG_ROLLED
        for (; left > 0; left -= 4) {
            int32_t sums[4];
            if (three) {
                smg_depthwise_s8_dsp_sums_3x3(x, channel, 4 * step, stride, sums);
            } else {
                smg_depthwise_s8_dsp_sums_any(x, channel, step, stride, op->win_cols, op->steps,
                                              sums);
            }
            if (simple) {
                smg_depthwise_s8_dsp_finish(channel, sums);
            } else {
                smg_depthwise_s8_dsp_finish_any(op, channel, sums);
            }
            smg_depthwise_s8_dsp_store(sums, left, to, row);
            x += 2 * stride;
            to += 4 * row;
        }
        plane += op->stride_cols * op->plane_pairs;
        y += op->out_col_step;
    }
}

SMG_INLINE void smg_depthwise_s8_dsp_layer(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch, int32_t stride, bool three,
                                           bool simple) {
    smg_pair_t *const planes = (smg_pair_t *)(void *)scratch;
    const int32_t words = op->plane_cols * op->plane_pairs;
    const int32_t taps = three ? 3 : op->win_rows, cols = three ? 3 : op->win_cols;
    const int32_t steps = !three ? op->steps : stride == 1 ? 1 : 2;
    smg_pair_t *const channel = planes + op->planes * words;
    const int8_t *packed = op->weights;
    SMG_ROLLED
    for (smg_pair_t *at = planes; at != channel; ++at) {
        *at = smg_pair(op->zero_point, op->zero_point);
    }
    int32_t o = 0;
    for (int32_t i = 0; i < op->channels; i += op->planes) {
        const smg_pair_t *plane = planes;
        smg_depthwise_s8_dsp_copy(op, x + i, planes);
        for (int32_t k = op->planes; k > 0; --k) {
            for (int32_t m = op->multiplier; m > 0; --m) {
                const int32_t shift = -op->shifts[o];
                channel[SMG_DW_BIAS] = op->bias[o];
                channel[SMG_DW_MANTISSA] = op->mantissas[o];
                channel[SMG_DW_OFFSET] =
                    simple ? op->out_zero_point * (1 << shift) + (1 << (shift - 1)) : 0;
                channel[SMG_DW_SHIFT] = shift;
                packed = smg_depthwise_s8_dsp_weights(packed, channel + SMG_DW_WEIGHTS, taps, cols,
                                                      stride, steps, three);
                smg_depthwise_s8_dsp_channel(op, plane, channel, y + o, stride, three, simple);
                ++o;
            }
            plane += words;
        }
    }
}

SMG_KERNEL void smg_depthwise_s8_dsp_3x3(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                         int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 1, true, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_3x3_stride2(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                                 int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 2, true, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_stride1(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 1, false, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_stride2(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 2, false, true);
}

SMG_KERNEL void smg_depthwise_s8_dsp_any_stride1(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                                 int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 1, false, false);
}

SMG_KERNEL void smg_depthwise_s8_dsp_any_stride2(const smg_depthwise_s8_dsp_t *op, const int8_t *x,
                                                 int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_dsp_layer(op, x, y, scratch, 2, false, false);
}

#endif
