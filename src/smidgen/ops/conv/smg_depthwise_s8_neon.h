/* smg_depthwise_s8_neon: depthwise convolution on int8 for AArch64 cores with Advanced SIMD (NEON).
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w} w[h,w,o] * x[.., .., o]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. Sixteen channels go at
 * once, then eight; the last ones may be fewer. The products of two taps are added in 16 bits and
 * then widened; with weights of -128 (`full_range`), whose products may overflow there, each alone.
 * Taps are found by pointers; those outside of the image point to a pixel of zp_x.
 *
 * `blocks` holds, for every sixteen channels and then for every eight, the words of
 * smg_neon_requantize for each four of them, and the weights of each tap.
 * Exact: equals the reference of DepthwiseConv2D bit for bit. Scratch: a pointer for each tap, and
 * behind them a pixel of zp_x filled up to 16. Reads nothing outside of the image. Goes element by
 * element as far as overlaps are concerned: y may reach into x as far as safe_conv_distance
 * (ops/support/overlap.py) says.
 */
#ifndef SMG_DEPTHWISE_S8_NEON_H
#define SMG_DEPTHWISE_S8_NEON_H

#include "smg_neon.h"
#include "smg_window.h"

typedef struct {
    smg_window_t window;
    int32_t zero_point, full_range;
    smg_finish_neon_t finish;
    const int32_t *blocks;
} smg_depthwise_s8_neon_t;

/* Sums of eight channels. */
typedef struct {
    int32x4_t low, high;
} smg_eight_neon_t;

SMG_INLINE smg_eight_neon_t smg_eight_neon(const int32_t *words) {
    const smg_eight_neon_t sums = {vld1q_s32(words), vld1q_s32(words + SMG_NEON_WORDS)};
    return sums;
}

SMG_INLINE void smg_eight_neon_add(smg_eight_neon_t *sums, int16x8_t products) {
    sums->low = vaddw_s16(sums->low, vget_low_s16(products));
    sums->high = vaddw_high_s16(sums->high, products);
}

/* Adds the products of two taps. */
SMG_INLINE void smg_eight_neon_two(smg_eight_neon_t *sums, int8x8_t x, int8x8_t w, int8x8_t x2,
                                   int8x8_t w2, bool full_range) {
    const int16x8_t products = vmull_s8(x, w);
    if (full_range) {
        smg_eight_neon_add(sums, products);
        smg_eight_neon_add(sums, vmull_s8(x2, w2));
    } else {
        smg_eight_neon_add(sums, vmlal_s8(products, x2, w2));
    }
}

SMG_INLINE int32x4_t smg_depthwise_s8_neon_finish(int32x4_t sums, const int32_t *words,
                                                  int32_t four, bool up) {
    return smg_neon_requantize(sums, words + four * SMG_NEON_WORDS, up);
}

/* Sixteen channels of one pixel, `at` bytes behind each tap; gives where their weights end. */
SMG_INLINE const int8_t *smg_depthwise_s8_neon_16(const smg_finish_neon_t *op,
                                                  const int8_t *const *taps, ptrdiff_t at,
                                                  int32_t count, const int32_t *words, int8_t *y,
                                                  bool full_range, bool up) {
    const int8_t *w = (const int8_t *)(words + 4 * SMG_NEON_WORDS);
    smg_eight_neon_t a = smg_eight_neon(words), b = smg_eight_neon(words + 2 * SMG_NEON_WORDS);
    int32_t left = count;
    for (; left > 1; left -= 2) {
        const int8x16_t x = vld1q_s8(taps[0] + at), x2 = vld1q_s8(taps[1] + at);
        const int8x16_t v = vld1q_s8(w), v2 = vld1q_s8(w + 16);
        smg_eight_neon_two(&a, vget_low_s8(x), vget_low_s8(v), vget_low_s8(x2), vget_low_s8(v2),
                           full_range);
        smg_eight_neon_two(&b, vget_high_s8(x), vget_high_s8(v), vget_high_s8(x2), vget_high_s8(v2),
                           full_range);
        taps += 2;
        w += 32;
    }
    if (left > 0) {
        const int8x16_t x = vld1q_s8(taps[0] + at), v = vld1q_s8(w);
        smg_eight_neon_add(&a, vmull_s8(vget_low_s8(x), vget_low_s8(v)));
        smg_eight_neon_add(&b, vmull_high_s8(x, v));
        w += 16;
    }
    vst1q_s8(y, smg_neon_sixteen(op, smg_depthwise_s8_neon_finish(a.low, words, 0, up),
                                 smg_depthwise_s8_neon_finish(a.high, words, 1, up),
                                 smg_depthwise_s8_neon_finish(b.low, words, 2, up),
                                 smg_depthwise_s8_neon_finish(b.high, words, 3, up)));
    return w;
}

/* Eight values, or `lanes` where there are fewer and the image may end behind them. */
SMG_INLINE int8x8_t smg_depthwise_s8_neon_load(const int8_t *x, int32_t lanes, bool is_last) {
    return lanes < 8 && is_last ? smg_neon_load_some(x, lanes) : vld1_s8(x);
}

/* The same of up to eight channels; `is_last` where the image may end less than eight bytes behind
 * a tap. */
SMG_INLINE const int8_t *smg_depthwise_s8_neon_8(const smg_finish_neon_t *op,
                                                 const int8_t *const *taps, ptrdiff_t at,
                                                 int32_t count, const int32_t *words, int8_t *y,
                                                 bool full_range, bool up, int32_t lanes,
                                                 bool is_last) {
    const int8_t *w = (const int8_t *)(words + 2 * SMG_NEON_WORDS);
    smg_eight_neon_t sums = smg_eight_neon(words);
    int32_t left = count;
    for (; left > 1; left -= 2) {
        smg_eight_neon_two(&sums, smg_depthwise_s8_neon_load(taps[0] + at, lanes, is_last),
                           vld1_s8(w), smg_depthwise_s8_neon_load(taps[1] + at, lanes, is_last),
                           vld1_s8(w + 8), full_range);
        taps += 2;
        w += 16;
    }
    if (left > 0) {
        const int8x8_t x = smg_depthwise_s8_neon_load(taps[0] + at, lanes, is_last);
        smg_eight_neon_add(&sums, vmull_s8(x, vld1_s8(w)));
        w += 8;
    }
    const int8x8_t all = smg_neon_eight(op, smg_depthwise_s8_neon_finish(sums.low, words, 0, up),
                                        smg_depthwise_s8_neon_finish(sums.high, words, 1, up));
    if (lanes >= 8) {
        vst1_s8(y, all);
    } else {
        smg_neon_store_some(y, all, lanes);
    }
    return w;
}

/* All channels of one pixel. */
SMG_INLINE void smg_depthwise_s8_neon_pixel(const smg_depthwise_s8_neon_t *op,
                                            const int8_t *const *taps, ptrdiff_t at, int32_t count,
                                            int8_t *y, bool full_range, bool up, bool is_last) {
    const int32_t *words = op->blocks;
    const int8_t *end;
    int32_t left = op->window.in_channels;
    for (; left >= 16; left -= 16) {
        end = smg_depthwise_s8_neon_16(&op->finish, taps, at, count, words, y, full_range, up);
        words = (const int32_t *)(const void *)end;
        at += 16;
        y += 16;
    }
    for (; left >= 8; left -= 8) {
        end = smg_depthwise_s8_neon_8(&op->finish, taps, at, count, words, y, full_range, up, 8,
                                      false);
        words = (const int32_t *)(const void *)end;
        at += 8;
        y += 8;
    }
    if (left > 0) {
        smg_depthwise_s8_neon_8(&op->finish, taps, at, count, words, y, full_range, up, left,
                                is_last);
    }
}

/* Where the taps of a window of `rows` x `cols` lie that starts at row `top` and column `left`. */
SMG_INLINE void smg_depthwise_s8_neon_taps(const smg_window_t *window, int32_t rows, int32_t cols,
                                           const int8_t *x, const int8_t *outside, int32_t top,
                                           int32_t left, const int8_t **taps) {
    const int32_t channels = window->in_channels, step = window->dilation_cols;
    for (int32_t h = 0; h < rows; ++h) {
        const int32_t row = top + h * window->dilation_rows;
        const bool is_row = row >= 0 && row < window->in_rows;
        int32_t at = (row * window->in_cols + left) * channels, col = left;
        for (int32_t w = 0; w < cols; ++w) {
            *taps++ = is_row && col >= 0 && col < window->in_cols ? x + at : outside;
            at += step * channels;
            col += step;
        }
    }
}

/* Pixels that lie inside, one after another in a row, share their pointers. */
SMG_INLINE void smg_depthwise_s8_neon_layer(const smg_depthwise_s8_neon_t *params, const int8_t *x,
                                            int8_t *y, uint8_t *scratch, bool is_3x3,
                                            bool full_range, bool up) {
    const smg_depthwise_s8_neon_t local = *params, *const op = &local;
    const smg_window_t *const window = &op->window;
    const int32_t rows = is_3x3 ? 3 : window->win_rows, cols = is_3x3 ? 3 : window->win_cols;
    const int32_t count = rows * cols;
    const int32_t channels = window->in_channels, step = window->stride_cols * channels;
    const int32_t down = (rows - 1) * window->dilation_rows;
    const int32_t across = (cols - 1) * window->dilation_cols;
    const int8_t **const taps = (const int8_t **)(void *)scratch;
    int8_t *const outside = (int8_t *)(taps + count);
    memset(outside, op->zero_point, (size_t)((channels + 15) & ~15));
    int32_t top = -window->top;
    for (int32_t r = 0; r < window->out_rows; ++r) {
        const bool is_inside = top >= 0 && top + down < window->in_rows;
        const int32_t below = window->in_rows - 1 - (top + down);
        const bool is_last = below * window->in_cols * channels < 8;
        int32_t left = -window->left;
        ptrdiff_t at = 0;
        bool is_known = false;
        for (int32_t c = 0; c < window->out_cols; ++c) {
            if (is_known && left + across < window->in_cols) {
                at += step;
            } else {
                smg_depthwise_s8_neon_taps(window, rows, cols, x, outside, top, left, taps);
                is_known = is_inside && left >= 0;
                at = 0;
            }
            smg_depthwise_s8_neon_pixel(op, taps, at, count, y, full_range, up, is_last);
            y += channels;
            left += window->stride_cols;
        }
        top += window->stride_rows;
    }
}

SMG_INLINE void smg_depthwise_s8_neon_either(const smg_depthwise_s8_neon_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *scratch, bool is_3x3, bool up) {
    if (op->full_range != 0) {
        smg_depthwise_s8_neon_layer(op, x, y, scratch, is_3x3, true, up);
    } else {
        smg_depthwise_s8_neon_layer(op, x, y, scratch, is_3x3, false, up);
    }
}

SMG_KERNEL void smg_depthwise_s8_neon(const smg_depthwise_s8_neon_t *op, const int8_t *x, int8_t *y,
                                      uint8_t *scratch) {
    smg_depthwise_s8_neon_either(op, x, y, scratch, false, false);
}

SMG_KERNEL void smg_depthwise_s8_neon_up(const smg_depthwise_s8_neon_t *op, const int8_t *x,
                                         int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_neon_either(op, x, y, scratch, false, true);
}

SMG_KERNEL void smg_depthwise_s8_neon_3x3(const smg_depthwise_s8_neon_t *op, const int8_t *x,
                                          int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_neon_either(op, x, y, scratch, true, false);
}

SMG_KERNEL void smg_depthwise_s8_neon_3x3_up(const smg_depthwise_s8_neon_t *op, const int8_t *x,
                                             int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_neon_either(op, x, y, scratch, true, true);
}

#endif
