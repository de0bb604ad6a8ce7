/* smg_depthwise_s8_mve: depthwise convolution on int8 for Arm cores with MVE (Helium).
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w} w[h,w,o] * x[.., .., o]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. Sixteen channels go at
 * once; even and odd ones have sums of 16 bits, which are moved to 32 bits after every `group`
 * taps: so many that no sum of that many products of these weights can overflow. Windows that reach
 * over the edge of the image are copied to scratch first, the others are read in place.
 *
 * `blocks` holds, for every sixteen channels, the words of smg_mve_requantize for channels
 * 0 4 8 12, 2 6 10 14, 1 5 9 13 and 3 7 11 15, and then 16 weights for each tap; where
 * the taps are odd in number, and not 3 x 3, 16 zeros follow. Fewer than sixteen channels are there
 * again and again.
 * Exact: equals the reference of DepthwiseConv2D bit for bit. Scratch: a window, aligned to 4, and
 * behind it two words for each tap, and two more. Goes element by element as far as overlaps are
 * concerned: y may reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_DEPTHWISE_S8_MVE_H
#define SMG_DEPTHWISE_S8_MVE_H

#include "smg_window_mve.h"

typedef struct {
    smg_window_mve_t window;
    int32_t window_bytes;
    int32_t out_zero_point, low, high;
    const int32_t *blocks;
} smg_depthwise_s8_mve_t;

/* Sums of sixteen channels: even ones and odd ones, and of them every other. */
typedef struct {
    int32x4_t even_low, even_high, odd_low, odd_high;
} smg_depthwise_s8_mve_wide_t;

/* Adds the products of one tap. */
SMG_INLINE void smg_depthwise_s8_mve_one(smg_depthwise_s8_mve_wide_t *sums, int8x16_t x,
                                         const int8_t *w) {
    const int8x16_t weights = vldrbq_s8(w);
    const int16x8_t even = vmullbq_int_s8(x, weights), odd = vmulltq_int_s8(x, weights);
    sums->even_low = vaddq_s32(sums->even_low, vmovlbq_s16(even));
    sums->even_high = vaddq_s32(sums->even_high, vmovltq_s16(even));
    sums->odd_low = vaddq_s32(sums->odd_low, vmovlbq_s16(odd));
    sums->odd_high = vaddq_s32(sums->odd_high, vmovltq_s16(odd));
}

/* Adds the products of two taps, and gives where their weights end. All eight vector registers are
 * busy; compilers spill three of them where loading the second weights twice is enough, hence
 * assembly. */
SMG_INLINE const int8_t *smg_depthwise_s8_mve_two(smg_depthwise_s8_mve_wide_t *sums, int8x16_t x,
                                                  int8x16_t x2, const int8_t *w) {
    int16x8_t even, t;
    __asm__ volatile("vldrb.u8 %q[t], [%[w]], #16\n"
                     "vmullb.s8 %q[e], %q[x], %q[t]\n"
                     "vmullt.s8 %q[x], %q[x], %q[t]\n"
                     "vldrb.u8 %q[t], [%[w]]\n"
                     "vmullb.s8 %q[t], %q[y], %q[t]\n"
                     "vadd.i16 %q[e], %q[e], %q[t]\n"
                     "vldrb.u8 %q[t], [%[w]], #16\n"
                     "vmullt.s8 %q[y], %q[y], %q[t]\n"
                     "vadd.i16 %q[x], %q[x], %q[y]\n"
                     "vmovlb.s16 %q[t], %q[e]\n"
                     "vmovlt.s16 %q[e], %q[e]\n"
                     "vadd.i32 %q[el], %q[el], %q[t]\n"
                     "vmovlb.s16 %q[y], %q[x]\n"
                     "vadd.i32 %q[eh], %q[eh], %q[e]\n"
                     "vmovlt.s16 %q[x], %q[x]\n"
                     "vadd.i32 %q[ol], %q[ol], %q[y]\n"
                     "vadd.i32 %q[oh], %q[oh], %q[x]\n"
                     : [el] "+w"(sums->even_low), [eh] "+w"(sums->even_high),
                       [ol] "+w"(sums->odd_low), [oh] "+w"(sums->odd_high), [x] "+w"(x),
                       [y] "+w"(x2), [e] "=&w"(even), [t] "=&w"(t), [w] "+r"(w)
                     :
                     : "memory");
    return w;
}

/* Sixteen sums, bias included, as quanta in the order of the channels. */
SMG_INLINE int8x16_t smg_depthwise_s8_mve_finish(const smg_depthwise_s8_mve_t *op,
                                                 const smg_depthwise_s8_mve_wide_t *sums,
                                                 const int32_t *words, bool up) {
    const int32_t each = SMG_MVE_WORDS(up);
    const int16_t zero = (int16_t)op->out_zero_point;
    int16x8_t even = vdupq_n_s16(0), odd = even;
    even = vqmovnbq_s32(even, smg_mve_scale(sums->even_low, words, up));
    even = vqmovntq_s32(even, smg_mve_scale(sums->even_high, words + each, up));
    odd = vqmovnbq_s32(odd, smg_mve_scale(sums->odd_low, words + 2 * each, up));
    odd = vqmovntq_s32(odd, smg_mve_scale(sums->odd_high, words + 3 * each, up));
    int8x16_t all = vqmovnbq_s16(vdupq_n_s8(0), vqaddq_n_s16(even, zero));
    all = vqmovntq_s16(all, vqaddq_n_s16(odd, zero));
    all = vminq_s8(all, vdupq_n_s8((int8_t)op->high));
    return vmaxq_s8(all, vdupq_n_s8((int8_t)op->low));
}

/* Sums over a window of any size; tap k is offsets[k] bytes behind x. */
SMG_INLINE void smg_depthwise_s8_mve_any(smg_depthwise_s8_mve_wide_t *sums, const int8_t *x,
                                         const int8_t *w, const int32_t *offsets, int32_t taps,
                                         mve_pred16_t some) {
    for (int32_t left = taps; left > 0; left -= 2) {
        const int8x16_t a = vldrbq_z_s8(x + offsets[0], some);
        const int8x16_t b = vldrbq_z_s8(x + offsets[1], some);
        w = smg_depthwise_s8_mve_two(sums, a, b, w);
        offsets += 2;
    }
}

SMG_INLINE int8x16_t smg_depthwise_s8_mve_load(const int8_t *x, mve_pred16_t some, bool whole) {
    return whole ? vldrbq_s8(x) : vldrbq_z_s8(x, some);
}

/* Sums over a window of 3 x 3, whose columns and rows are so many bytes apart. */
SMG_INLINE void smg_depthwise_s8_mve_3x3_sums(smg_depthwise_s8_mve_wide_t *sums, const int8_t *x,
                                              const int8_t *w, int32_t col, int32_t row,
                                              mve_pred16_t some, bool whole) {
    const int8_t *y = x + col, *z = y + col;
    int8x16_t a = smg_depthwise_s8_mve_load(x, some, whole);
    w = smg_depthwise_s8_mve_two(sums, a, smg_depthwise_s8_mve_load(y, some, whole), w);
    x += row;
    a = smg_depthwise_s8_mve_load(z, some, whole);
    w = smg_depthwise_s8_mve_two(sums, a, smg_depthwise_s8_mve_load(x, some, whole), w);
    y += row;
    z += row;
    a = smg_depthwise_s8_mve_load(y, some, whole);
    w = smg_depthwise_s8_mve_two(sums, a, smg_depthwise_s8_mve_load(z, some, whole), w);
    a = smg_depthwise_s8_mve_load(x + row, some, whole);
    w = smg_depthwise_s8_mve_two(sums, a, smg_depthwise_s8_mve_load(y + row, some, whole), w);
    smg_depthwise_s8_mve_one(sums, smg_depthwise_s8_mve_load(z + row, some, whole), w);
}

/* All channels of one pixel, or `count` values of several. */
SMG_INLINE void smg_depthwise_s8_mve_pixel(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                           const int32_t *offsets, int8_t *y, int32_t count,
                                           bool is_3x3, bool whole, bool up) {
    const int32_t taps = is_3x3 ? 9 : op->window.win_rows * op->window.win_cols;
    const int32_t col = offsets[1], row = offsets[is_3x3 ? 3 : 0];
    const int32_t *words = op->blocks;
    for (int32_t left = count; left > 0; left -= 16) {
        const mve_pred16_t some = vctp8q((uint32_t)left);
        const int8_t *const weights = (const int8_t *)(words + 4 * SMG_MVE_WORDS(up));
        const int32_t each = SMG_MVE_WORDS(up);
        smg_depthwise_s8_mve_wide_t sums = {vldrwq_s32(words), vldrwq_s32(words + each),
                                            vldrwq_s32(words + 2 * each),
                                            vldrwq_s32(words + 3 * each)};
        if (is_3x3) {
            smg_depthwise_s8_mve_3x3_sums(&sums, x, weights, col, row, some, whole);
        } else {
            smg_depthwise_s8_mve_any(&sums, x, weights, offsets, taps, some);
        }
        vstrbq_p_s8(y, smg_depthwise_s8_mve_finish(op, &sums, words, up), some);
        words += 4 * (SMG_MVE_WORDS(up) + (is_3x3 ? taps : taps + (taps & 1)));
        x += 16;
        y += 16;
    }
}

/* Where the taps lie in the image, and in a copy of the window. */
SMG_INLINE void smg_depthwise_s8_mve_offsets(const smg_window_mve_t *window, int32_t *image,
                                             int32_t *copy) {
    const int32_t channels = window->in_channels;
    int32_t at = 0;
    for (int32_t h = 0; h < window->win_rows; ++h) {
        for (int32_t w = 0; w < window->win_cols; ++w) {
            const int32_t row = h * window->dilation_rows, col = w * window->dilation_cols;
            *image++ = (row * window->in_cols + col) * channels;
            *copy++ = at;
            at += channels;
        }
    }
    *image = *copy = 0; /* for the tap that makes their number even */
}

/* How many pixels, the one at column `left` being inside, can be made at once. */
SMG_INLINE int32_t smg_depthwise_s8_mve_run(const smg_window_mve_t *window, int32_t left,
                                            int32_t unmade) {
    const int32_t reach = (window->win_cols - 1) * window->dilation_cols;
    if (window->in_channels > 8 || window->stride_cols != 1) {
        return 1;
    }
    const int32_t inside = smg_min(window->in_cols - reach - left, unmade);
    return smg_min(16 / window->in_channels, inside);
}

SMG_INLINE void smg_depthwise_s8_mve_layer(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch, bool is_3x3, bool whole,
                                           bool up) {
    const smg_window_mve_t *const window = &op->window;
    const int32_t channels = window->in_channels;
    int8_t *const copy = (int8_t *)scratch;
    int32_t *const in_image = (int32_t *)(void *)(scratch + op->window_bytes);
    int32_t *const in_copy = in_image + window->win_rows * window->win_cols + 1;
    const int32_t reach = (window->win_cols - 1) * window->dilation_cols;
    smg_depthwise_s8_mve_offsets(window, in_image, in_copy);
    int32_t top = -window->top;
    for (int32_t r = 0; r < window->out_rows; ++r) {
        const smg_taps_mve_t rows =
            smg_window_mve_inside(top, window->in_rows, window->win_rows, window->dilation_rows);
        const int8_t *const first =
            x + (top + rows.from * window->dilation_rows) * window->in_cols * channels;
        const bool complete = rows.to - rows.from == window->win_rows;
        int32_t left = -window->left, pixels = 1;
        for (int32_t unmade = window->out_cols; unmade > 0; unmade -= pixels) {
            const int8_t *from = copy;
            const int32_t *offsets = in_copy;
            if (complete && left >= 0 && left + reach < window->in_cols) {
                from = first + left * channels;
                offsets = in_image;
                pixels = whole ? 1 : smg_depthwise_s8_mve_run(window, left, unmade);
            } else {
                smg_window_mve_copy(window, first, rows, left, copy);
                pixels = 1;
            }
            smg_depthwise_s8_mve_pixel(op, from, offsets, y, pixels * channels, is_3x3, whole, up);
            y += pixels * channels;
            left += pixels * window->stride_cols;
        }
        top += window->stride_rows;
    }
}

SMG_KERNEL void smg_depthwise_s8_mve(const smg_depthwise_s8_mve_t *op, const int8_t *x, int8_t *y,
                                     uint8_t *scratch) {
    smg_depthwise_s8_mve_layer(op, x, y, scratch, false, false, false);
}

SMG_KERNEL void smg_depthwise_s8_mve_up(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                        int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_mve_layer(op, x, y, scratch, false, false, true);
}

SMG_KERNEL void smg_depthwise_s8_mve_3x3(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                         int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_mve_layer(op, x, y, scratch, true, false, false);
}

SMG_KERNEL void smg_depthwise_s8_mve_3x3_up(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                            int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_mve_layer(op, x, y, scratch, true, false, true);
}

/* A multiple of sixteen channels. */
SMG_KERNEL void smg_depthwise_s8_mve_3x3x16(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                            int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_mve_layer(op, x, y, scratch, true, true, false);
}

SMG_KERNEL void smg_depthwise_s8_mve_3x3x16_up(const smg_depthwise_s8_mve_t *op, const int8_t *x,
                                               int8_t *y, uint8_t *scratch) {
    smg_depthwise_s8_mve_layer(op, x, y, scratch, true, true, true);
}

#endif
