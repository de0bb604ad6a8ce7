/* smg_conv2d_s8_wide_dsp: convolution on int8 with few products for Arm cores with the DSP
 * extension: first layers, and pointwise ones over few channels.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left,
 * i]))
 *
 * Two output pixels at a time: their windows become 16-bit columns, 256 times, in scratch, and
 * smg_dot_4x2_s16_dsp makes all outputs of both. Each row of a window is a run of bytes of any
 * length, loaded a word at a time; the one to three bytes that are left of each run come last, in
 * pairs. Windows that touch the padding go through copies. A last odd pixel is made twice.
 *
 * Exact: equals the reference of Conv2D bit for bit, for weights and scaling that
 * ops/conv/kernels/conv2d_s8_wide_dsp.py packed. Scratch: 8 bytes for each pair of products, and
 * two windows where any is ever copied; aligned to 4. Both windows are read before the two pixels
 * are written: y may reach into x as far as safe_pixel_distance (ops/support/overlap.py) says for
 * two pixels.
 */
#ifndef SMG_CONV2D_S8_WIDE_DSP_H
#define SMG_CONV2D_S8_WIDE_DSP_H

#include "smg_dot_4x2_s16_dsp.h"
#include "smg_dsp.h"
#include "smg_windows_s8.h"

typedef struct {
    smg_windows_s8_t windows;
    int32_t out_channels;
    int32_t run_bytes, run_step; /* of each row of a window */
    int32_t block_words;         /* of the weights of four outputs */
    smg_dot_4x2_s16_t dot;
    int32_t low, high;
} smg_conv2d_s8_wide_dsp_t;

/* The bytes of a window, in runs `step` apart. */
typedef struct {
    const int8_t *bytes;
    int32_t step;
} smg_runs_t;

/* 256 times bytes 0 and 2, or 1 and 3, of a word as a pair. */
SMG_INLINE smg_pair_t smg_high_even_bytes(int32_t word) {
    return (smg_pair_t)(((uint32_t)word << 8) & 0xff00ff00u);
}

SMG_INLINE smg_pair_t smg_high_odd_bytes(int32_t word) {
    return (smg_pair_t)((uint32_t)word & 0xff00ff00u);
}

/* 256 times bytes i and i + 1 of those that are `left` of each run behind its words. */
SMG_INLINE smg_pair_t smg_high_rest(smg_runs_t runs, int32_t i, int32_t left, int32_t count) {
    const int8_t *first = runs.bytes + i / left * runs.step + i % left;
    const uint32_t low = (uint32_t)(uint8_t)*first << 8;
    if (i + 1 == count) {
        return (smg_pair_t)low;
    }
    const int8_t *second = runs.bytes + (i + 1) / left * runs.step + (i + 1) % left;
    return (smg_pair_t)(low | (uint32_t)(uint8_t)*second << 24);
}

/* The columns of two windows. */
SMG_INLINE void smg_conv2d_s8_wide_dsp_columns(const smg_conv2d_s8_wide_dsp_t *op, smg_runs_t a,
                                               smg_runs_t b, int32_t *columns) {
    const int32_t words = op->run_bytes / 4, left = op->run_bytes % 4, runs = op->windows.win_rows;
    const int8_t *p = a.bytes, *q = b.bytes;
    for (int32_t h = 0; h < runs; ++h) {
        for (int32_t n = 0; n < words; ++n) {
            const int32_t u = smg_load_word(p + 4 * n), v = smg_load_word(q + 4 * n);
            columns[0] = smg_high_even_bytes(u);
            columns[1] = smg_high_even_bytes(v);
            columns[2] = smg_high_odd_bytes(u);
            columns[3] = smg_high_odd_bytes(v);
            columns += 4;
        }
        p += a.step;
        q += b.step;
    }
    if (left > 0) {
        const int32_t count = runs * left;
        a.bytes += 4 * words;
        b.bytes += 4 * words;
        for (int32_t i = 0; i < count; i += 2) {
            columns[0] = smg_high_rest(a, i, left, count);
            columns[1] = smg_high_rest(b, i, left, count);
            columns += 2;
        }
    }
}

/* Where the window of a pixel lies; a copy of it if it touches the padding. */
SMG_INLINE smg_runs_t smg_conv2d_s8_wide_dsp_runs(const smg_conv2d_s8_wide_dsp_t *op,
                                                  const int8_t *x, smg_tap_t at, int32_t pixel,
                                                  int8_t *copy) {
    const smg_windows_s8_t *const windows = &op->windows;
    if (smg_windows_s8_inside(windows, at)) {
        const smg_runs_t runs = {x + (at.row * windows->in_cols + at.col) * windows->in_channels,
                                 op->run_step};
        return runs;
    }
    smg_windows_s8_copy(windows, x, pixel, copy);
    const smg_runs_t runs = {copy, op->run_bytes};
    return runs;
}

/* The window of the next pixel. */
SMG_INLINE smg_tap_t smg_conv2d_s8_wide_dsp_next(const smg_windows_s8_t *windows, smg_tap_t at) {
    at.col += windows->stride_cols;
    if (at.col == windows->out_cols * windows->stride_cols - windows->left) {
        at.col = -windows->left;
        at.row += windows->stride_rows;
    }
    return at;
}

/* All outputs of two pixels, from their columns. */
SMG_INLINE void smg_conv2d_s8_wide_dsp_outputs(const smg_conv2d_s8_wide_dsp_t *op,
                                               const smg_dot_4x2_s16_t *dot, int32_t *columns,
                                               int8_t *y) {
    const int32_t rest = op->out_channels & 3, most = op->out_channels - rest;
    if (most > 0) {
        smg_dot_4x2_s16_dsp(dot, y, y, columns, 1);
    }
    if (rest > 0) {
        int8_t last[8];
        smg_dot_4x2_s16_t behind = *dot;
        behind.weights += (most >> 2) * op->block_words;
        behind.out_bytes = 4;
        behind.y_step = 4;
        smg_dot_4x2_s16_dsp(&behind, last, last, columns, 1);
        y += most;
        (void)smg_copy_bytes(last, rest, y);
        (void)smg_copy_bytes(last + 4, rest, y + dot->y_step);
    }
}

SMG_INLINE void smg_conv2d_s8_wide_dsp_clamp(const smg_conv2d_s8_wide_dsp_t *op, int8_t *y) {
    if (op->low > -128 || op->high < 127) {
        SMG_ROLLED
        for (int32_t i = 0; i < op->windows.out_pixels * op->out_channels; ++i) {
            y[i] = (int8_t)smg_clamp(y[i], op->low, op->high);
        }
    }
}

/* Any windows without gaps in their rows. */
SMG_KERNEL void smg_conv2d_s8_wide_dsp(const smg_conv2d_s8_wide_dsp_t *op, const int8_t *x,
                                       int8_t *y, uint8_t *scratch) {
    const smg_windows_s8_t *const windows = &op->windows;
    int32_t *const columns = (int32_t *)(void *)scratch;
    int8_t *const copies = (int8_t *)scratch + op->dot.x_bytes;
    smg_dot_4x2_s16_t last = op->dot;
    last.y_step = 0;
    smg_tap_t at = {-windows->top, -windows->left};
    int8_t *to = y;
    SMG_ROLLED
    for (int32_t p = 0; p < windows->out_pixels; p += 2) {
        const bool both = p + 1 < windows->out_pixels;
        const smg_runs_t a = smg_conv2d_s8_wide_dsp_runs(op, x, at, p, copies);
        at = smg_conv2d_s8_wide_dsp_next(windows, at);
        const smg_runs_t b =
            both ? smg_conv2d_s8_wide_dsp_runs(op, x, at, p + 1,
                                               copies + windows->win_rows * op->run_bytes)
                 : a;
        at = smg_conv2d_s8_wide_dsp_next(windows, at);
        smg_conv2d_s8_wide_dsp_columns(op, a, b, columns);
        smg_conv2d_s8_wide_dsp_outputs(op, both ? &op->dot : &last, columns, to);
        to += 2 * op->out_channels;
    }
    smg_conv2d_s8_wide_dsp_clamp(op, y);
}

/* Windows that are one run of a multiple of 4 bytes each, and evenly spaced; output channels are a
 * multiple of 4. */
SMG_KERNEL void smg_conv2d_s8_wide_dsp_even(const smg_conv2d_s8_wide_dsp_t *op, const int8_t *x,
                                            int8_t *y, uint8_t *scratch) {
    int32_t *const columns = (int32_t *)(void *)scratch;
    const int32_t pairs = op->windows.out_pixels >> 1;
    if (pairs > 0) {
        smg_dot_4x2_s16_dsp(&op->dot, x, y, columns, pairs);
    }
    if (op->windows.out_pixels & 1) {
        smg_dot_4x2_s16_t last = op->dot;
        last.y_step = 0;
        last.x_step = 0;
        smg_dot_4x2_s16_dsp(&last, x + 2 * pairs * op->dot.x_step, y + 2 * pairs * op->dot.y_step,
                            columns, 1);
    }
    smg_conv2d_s8_wide_dsp_clamp(op, y);
}

#endif
