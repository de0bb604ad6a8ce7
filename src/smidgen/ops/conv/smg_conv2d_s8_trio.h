/* smg_conv2d_s8_trio: convolution on int8 for cores without SIMD.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left,
 * i]))
 *
 * Three output pixels at a time: their windows are packed to columns in scratch, straight from x
 * where all lie inside and consist of runs, else through copies; then smg_dot_4x3_s8 makes four
 * outputs of each at a time, in segments short enough for its sums. The last pixel stands in for
 * those that a last group lacks.
 *
 * Exact: equals the reference of Conv2D bit for bit, for weights and scaling that
 * ops/support/columns.py packed. Scratch: 10 * depth bytes, aligned to 4; 8 * depth if no window is
 * ever copied. The windows are read before the three pixels are written: y may reach into x as far
 * as safe_pixel_distance (ops/support/overlap.py) says for three pixels.
 */
#ifndef SMG_CONV2D_S8_TRIO_H
#define SMG_CONV2D_S8_TRIO_H

#include "smg_dot_4x3_s8.h"
#include "smg_scale.h"
#include "smg_windows_s8.h"

typedef struct {
    smg_windows_s8_t windows;
    smg_scale_t scale;
    int32_t out_channels;
    int32_t depth, segment; /* products of an output, and those that are summed at a time */
    const int8_t *weights;  /* [outputs / 4][depth][4] */
    const int32_t *words;   /* the scaling of each output */
} smg_conv2d_s8_trio_t;

SMG_INLINE void smg_conv2d_s8_trio_columns(const smg_conv2d_s8_trio_t *op, const int8_t *x,
                                           const int32_t pixels[3], uint32_t *columns) {
    const smg_windows_s8_t *const windows = &op->windows;
    const int8_t *a = smg_windows_s8_direct(windows, x, pixels[0]);
    const int8_t *b = smg_windows_s8_direct(windows, x, pixels[1]);
    const int8_t *c = smg_windows_s8_direct(windows, x, pixels[2]);
    if (a != NULL && b != NULL && c != NULL) {
        for (int32_t run = 0; run < windows->runs; ++run) {
            columns = smg_columns_trio(a, b, c, windows->run_bytes, columns);
            a += windows->run_step;
            b += windows->run_step;
            c += windows->run_step;
        }
        return;
    }
    /* The columns overwrite the first copy: after k values they end at byte 8 * k, and what is left
     * of that copy starts at 7 * depth + k, which is no less. */
    int8_t *const copies = (int8_t *)columns + 7 * op->depth;
    for (int32_t i = 0; i < 3; ++i) {
        smg_windows_s8_copy(windows, x, pixels[i], copies + i * op->depth);
    }
    (void)smg_columns_trio(copies, copies + op->depth, copies + 2 * op->depth, op->depth, columns);
}

/* Sums to outputs first..end-1. */
SMG_INLINE void smg_conv2d_s8_trio_store(const smg_conv2d_s8_trio_t *op, const int32_t *sums,
                                         int32_t first, int32_t end, int8_t *const y[3]) {
    const smg_scale_t scale = op->scale;
    const int32_t *words = op->words + first * smg_scale_words(&scale);
    if (scale.scale > 0) {
        for (int32_t o = first; o < end; ++o, words += 2, sums += 3) {
            const int32_t w0 = words[0], w1 = words[1];
            y[0][o] = smg_scale_line(&scale, w0, w1, sums[0]);
            y[1][o] = smg_scale_line(&scale, w0, w1, sums[1]);
            y[2][o] = smg_scale_line(&scale, w0, w1, sums[2]);
        }
    } else {
        for (int32_t o = first; o < end; ++o, words += 3, sums += 3) {
            const int32_t w[3] = {words[0], words[1], words[2]};
            y[0][o] = smg_scale_steps(&scale, w, sums[0]);
            y[1][o] = smg_scale_steps(&scale, w, sums[1]);
            y[2][o] = smg_scale_steps(&scale, w, sums[2]);
        }
    }
}

/* Up to four outputs of three pixels. */
SMG_INLINE void smg_conv2d_s8_trio_outputs(const smg_conv2d_s8_trio_t *op, const uint32_t *columns,
                                           int32_t first, int8_t *const y[3]) {
    const int8_t *const w = op->weights + first * op->depth;
    int32_t sums[12];
    smg_dot_4x3_s8(w, columns, op->segment, sums);
    for (int32_t k = op->segment; k < op->depth; k += op->segment) {
        int32_t more[12];
        smg_dot_4x3_s8(w + 4 * k, columns + 2 * k, smg_min(op->segment, op->depth - k), more);
        for (int32_t i = 0; i < 12; ++i) {
            sums[i] += more[i];
        }
    }
    smg_conv2d_s8_trio_store(op, sums, first, smg_min(first + 4, op->out_channels), y);
}

SMG_KERNEL void smg_conv2d_s8_trio(const smg_conv2d_s8_trio_t *op, const int8_t *x, int8_t *y,
                                   uint8_t *scratch) {
    uint32_t *const columns = (uint32_t *)(void *)scratch;
    const int32_t last = op->windows.out_pixels - 1;
    for (int32_t p = 0; p <= last; p += 3) {
        const int32_t pixels[3] = {p, smg_min(p + 1, last), smg_min(p + 2, last)};
        smg_conv2d_s8_trio_columns(op, x, pixels, columns);
        int8_t *const out[3] = {y + pixels[0] * op->out_channels, y + pixels[1] * op->out_channels,
                                y + pixels[2] * op->out_channels};
        for (int32_t first = 0; first < op->out_channels; first += 4) {
            smg_conv2d_s8_trio_outputs(op, columns, first, out);
        }
    }
    smg_scale_clamp(&op->scale, y, (last + 1) * op->out_channels);
}

#endif
