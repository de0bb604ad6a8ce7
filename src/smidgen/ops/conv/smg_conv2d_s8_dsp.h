/* smg_conv2d_s8_dsp: convolution on int8 for Arm cores with the DSP extension.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left,
 * i]))
 *
 * Two output pixels at a time: their windows become 16-bit columns in scratch, straight from x
 * where both lie inside and consist of runs, else through copies; then smg_dot_4x2_s8_dsp makes all
 * outputs of both. A last odd pixel is made twice. Windows of one pixel whose channels are no
 * multiple of four are read with up to three bytes of the next one, which meet weights of 0.
 *
 * Exact: equals the reference of Conv2D bit for bit, for weights and scaling that
 * ops/support/columns.py packed. Scratch: 5 * depth bytes, aligned to 4; 4 * depth if no window is
 * ever copied. Both windows are read before the two pixels are written: y may reach into x as far
 * as safe_pixel_distance (ops/support/overlap.py) says for two pixels.
 */
#ifndef SMG_CONV2D_S8_DSP_H
#define SMG_CONV2D_S8_DSP_H

#include "smg_columns_dsp.h"
#include "smg_dot_4x2_s8_dsp.h"
#include "smg_windows_s8.h"

typedef struct {
    smg_windows_s8_t windows;
    int32_t out_channels;
    int32_t depth;        /* products of an output, rounded up to a multiple of 4 */
    int32_t loose_step;   /* > 0: windows are one run each, of any length, this far apart; */
    int32_t loose_pixels; /* so many of them are followed by what may be read along with them */
    smg_dot_4x2_t dot;
    int32_t low, high;
    const int32_t *weights;
} smg_conv2d_s8_dsp_t;

/* The columns of the windows of output pixels p and q. */
SMG_INLINE void smg_conv2d_s8_dsp_columns(const smg_conv2d_s8_dsp_t *op, const int8_t *x, int32_t p,
                                          int32_t q, int32_t *columns) {
    const smg_windows_s8_t *const windows = &op->windows;
    if (q < op->loose_pixels) {
        (void)smg_columns_dsp(x + p * op->loose_step, x + q * op->loose_step, op->depth, columns);
        return;
    }
    const int8_t *a = smg_windows_s8_direct(windows, x, p);
    const int8_t *b = smg_windows_s8_direct(windows, x, q);
    if (a != NULL && b != NULL) {
        for (int32_t run = 0; run < windows->runs; ++run) {
            columns = smg_columns_dsp(a, b, windows->run_bytes, columns);
            a += windows->run_step;
            b += windows->run_step;
        }
        return;
    }
    /* The columns overwrite the first copy: after k values they end at byte 4 * k, and what is left
     * of that copy starts at 3 * depth + k, which is no less. */
    int8_t *const copies = (int8_t *)columns + 3 * op->depth;
    smg_windows_s8_copy(windows, x, p, copies);
    smg_windows_s8_copy(windows, x, q, copies + op->depth);
    (void)smg_columns_dsp(copies, copies + op->depth, op->depth, columns);
}

/* All outputs of two pixels. */
SMG_INLINE void smg_conv2d_s8_dsp_outputs(const smg_conv2d_s8_dsp_t *op, const int32_t *columns,
                                          int8_t *y0, int8_t *y1) {
    const int32_t rest = op->out_channels & 3, most = op->out_channels - rest;
    const int32_t *w = op->weights;
    if (most > 0) {
        w = smg_dot_4x2_s8_dsp(w, columns, y0, y1, y0 + most, &op->dot);
    }
    if (rest > 0) {
        int8_t last[8];
        (void)smg_dot_4x2_s8_dsp(w, columns, last, last + 4, last + 4, &op->dot);
        (void)smg_copy_bytes(last, rest, y0 + most);
        (void)smg_copy_bytes(last + 4, rest, y1 + most);
    }
}

SMG_KERNEL void smg_conv2d_s8_dsp(const smg_conv2d_s8_dsp_t *op, const int8_t *x, int8_t *y,
                                  uint8_t *scratch) {
    int32_t *const columns = (int32_t *)(void *)scratch;
    const int32_t last = op->windows.out_pixels - 1;
    for (int32_t p = 0; p <= last; p += 2) {
        const int32_t q = smg_min(p + 1, last);
        smg_conv2d_s8_dsp_columns(op, x, p, q, columns);
        smg_conv2d_s8_dsp_outputs(op, columns, y + p * op->out_channels, y + q * op->out_channels);
    }
    if (op->low > -128 || op->high < 127) {
        SMG_ROLLED
        for (int32_t i = 0; i < (last + 1) * op->out_channels; ++i) {
            y[i] = (int8_t)smg_clamp(y[i], op->low, op->high);
        }
    }
}

#endif
