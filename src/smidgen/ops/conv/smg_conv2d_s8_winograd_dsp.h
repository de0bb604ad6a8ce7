/* smg_conv2d_s8_winograd_dsp: 3 x 3 convolution with stride 1 on int8, for Arm cores with the DSP
 * extension, in 16 products for four outputs where others take 36: Winograd's F(2x2, 3x3).
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r+h-top, c+w-left, i]))
 *
 * The output is cut into tiles of 2 x 2 pixels. Two tiles at a time, side by side, the window of
 * 4 x 6 pixels becomes two transformed tiles v (smg_winograd_tiles_dsp.h); for each four outputs
 * the 16 places of u * v are summed over the channels (smg_winograd_sums_dsp.h), and brought back
 * to pixels (smg_winograd_pixels_dsp.h). Weights come transformed: u = (2G) w (2G)^T with the rows
 * (2, 0, 0), (1, 1, 1), (1, -1, 1) and (0, 0, 2) of 2G.
 *
 * Exact: equals the reference of Conv2D bit for bit. All transforms are sums of integers; those of
 * the weights are doubled on each side, so that pixels come as exactly four times their sum,
 * modulo 2^32, and that sum is below 2^29. Lines (smg_scale.h) take the factor into their scale;
 * other scalings shift it out.
 *
 * Scratch, aligned to 8: 128 words of sums, 16 words of v for each channel, and a copy of a window,
 * 24 bytes for each channel. A window is read before its pixels are written: y may reach into x as
 * far as safe_tile_distance (ops/support/overlap.py) says. Pixels of tiles that hang over are
 * written to the nearest pixel inside, before that one is.
 */
#ifndef SMG_CONV2D_S8_WINOGRAD_DSP_H
#define SMG_CONV2D_S8_WINOGRAD_DSP_H

#include "smg_dsp.h"
#include "smg_scale.h"
#include "smg_windows_s8.h"
#include "smg_winograd_pixels_dsp.h"
#include "smg_winograd_sums_dsp.h"
#include "smg_winograd_tiles_dsp.h"

typedef struct {
    smg_windows_s8_t windows; /* of 4 x 6 pixels, 2 x 4 pixels apart */
    int32_t out_rows, out_cols, out_channels;
    smg_scale_t scaling;    /* a line's scale is a quarter of itself; mantissas of scale 0 are
                               2 * mantissa - 2^32 */
    const int32_t *weights; /* four outputs after the other: u, then their scaling */
} smg_conv2d_s8_winograd_dsp_t;

/* Where the pixels of both tiles of a pair lie: left tile first, row by row. */
SMG_INLINE void smg_winograd_places(const smg_conv2d_s8_winograd_dsp_t *op, int32_t pair, int8_t *y,
                                    int8_t *pixels[8]) {
    const int32_t row = 2 * (pair / op->windows.out_cols);
    const int32_t col = 4 * (pair % op->windows.out_cols);
    SMG_ROLLED
    for (int32_t i = 0; i < 8; ++i) {
        const int32_t r = smg_min(row + (i >> 1 & 1), op->out_rows - 1);
        const int32_t c = smg_min(col + 2 * (i >> 2) + (i & 1), op->out_cols - 1);
        pixels[i] = y + (r * op->out_cols + c) * op->out_channels;
    }
}

/* All outputs of two tiles; the right tile first. */
SMG_INLINE void smg_winograd_outputs(const smg_conv2d_s8_winograd_dsp_t *op, const int32_t *v,
                                     int32_t *sums, int8_t *const pixels[8]) {
    const smg_scale_t *const scale = &op->scaling;
    const int32_t *w = op->weights;
    SMG_ROLLED
    for (int32_t o = 0; o < op->out_channels; o += 4) {
        w = smg_winograd_sums_dsp(w, v, sums, op->windows.in_channels / 2);
        const int32_t end = smg_min(o + 4, op->out_channels);
        if (scale->scale < 0) {
            smg_winograd_pixels_general(sums + 1, w, pixels + 4, scale, o, end);
            smg_winograd_pixels_general(sums, w, pixels, scale, o, end);
        } else {
            smg_winograd_pixels_dsp(sums + 1, w, pixels + 4, scale, o, end);
            smg_winograd_pixels_dsp(sums, w, pixels, scale, o, end);
        }
        w += 4 * smg_scale_words(scale);
    }
}

SMG_KERNEL void smg_conv2d_s8_winograd_dsp(const smg_conv2d_s8_winograd_dsp_t *op, const int8_t *x,
                                           int8_t *y, uint8_t *scratch) {
    const int32_t channels = op->windows.in_channels;
    int32_t *const sums = (int32_t *)(void *)scratch;
    int32_t *const v = sums + 128;
    int8_t *const copy = (int8_t *)(v + 16 * channels);
    SMG_ROLLED
    for (int32_t pair = 0; pair < op->windows.out_pixels; ++pair) {
        const int8_t *const window = smg_windows_s8_direct(&op->windows, x, pair);
        if (window == NULL) {
            smg_windows_s8_copy(&op->windows, x, pair, copy);
        }
        const int32_t row = window == NULL ? SMG_WINOGRAD_COLS : op->windows.in_cols;
        smg_winograd_tiles_dsp(window == NULL ? copy : window, row * channels, channels, v);
        int8_t *pixels[8];
        smg_winograd_places(op, pair, y, pixels);
        smg_winograd_outputs(op, v, sums, pixels);
    }
    smg_scale_clamp(&op->scaling, y, op->out_rows * op->out_cols * op->out_channels);
}

#endif
