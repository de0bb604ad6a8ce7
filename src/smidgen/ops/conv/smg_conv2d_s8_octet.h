/* smg_conv2d_s8_octet: convolution on int8 for cores with many registers and no multiply-add.
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[r*s+h*d-top, c*s+w*d-left,
 * i]))
 *
 * Eight output pixels at a time: their windows are packed to columns in scratch, straight from x
 * where all lie inside and consist of runs, else through copies; then smg_dot_4x8_s8 makes four
 * outputs of each at a time, in segments short enough for its sums. The last pixel stands in for
 * those that a last group lacks.
 *
 * Exact: equals the reference of Conv2D bit for bit, for weights and scaling that
 * ops/support/columns.py packed. Scratch: 28 * depth bytes, aligned to 4; 20 * depth if no window
 * is ever copied. The windows are read before the eight pixels are written: y may reach into x as
 * far as safe_pixel_distance (ops/support/overlap.py) says for eight pixels.
 */
#ifndef SMG_CONV2D_S8_OCTET_H
#define SMG_CONV2D_S8_OCTET_H

#include "smg_dot_4x8_s8.h"
#include "smg_scale.h"
#include "smg_windows_s8.h"

typedef struct {
    smg_windows_s8_t windows;
    smg_scale_t scale;
    int32_t out_channels;
    int32_t depth, segment; /* products of an output, and those that are summed at a time */
    const int8_t *weights;  /* [outputs / 4][depth][4] */
    const int32_t *words;   /* the scaling of each output, for sums with SMG_OCTET_BIAS */
} smg_conv2d_s8_octet_t;

/* The windows of eight pixels from `pixel` on; false if they must be copied. */
SMG_INLINE bool smg_conv2d_s8_octet_direct(const smg_windows_s8_t *windows, const int8_t *x,
                                           int32_t pixel, const int8_t *from[8]) {
    const int32_t last = windows->out_pixels - 1;
    SMG_ROLLED
    for (int32_t i = 0; i < 8; ++i) {
        from[i] = smg_windows_s8_direct(windows, x, smg_min(pixel + i, last));
        if (from[i] == NULL) {
            return false;
        }
    }
    return true;
}

SMG_INLINE void smg_conv2d_s8_octet_columns(const smg_conv2d_s8_octet_t *op, const int8_t *x,
                                            int32_t pixel, uint32_t *columns) {
    const smg_windows_s8_t *const windows = &op->windows;
    const int8_t *from[8];
    if (smg_conv2d_s8_octet_direct(windows, x, pixel, from)) {
        SMG_ROLLED
        for (int32_t run = 0; run < windows->runs; ++run) {
            columns = smg_columns_octet(from, windows->run_bytes, columns);
            for (int32_t i = 0; i < 8; ++i) {
                from[i] += windows->run_step;
            }
        }
        return;
    }
    /* The columns overwrite the first copies: after k values they end at byte 20 * k, and what is
     * left of copy 0 starts at 20 * depth + k. */
    int8_t *const copies = (int8_t *)columns + 20 * op->depth;
    SMG_ROLLED
    for (int32_t i = 0; i < 8; ++i) {
        int8_t *const copy = copies + i * op->depth;
        smg_windows_s8_copy(windows, x, smg_min(pixel + i, windows->out_pixels - 1), copy);
        from[i] = copy;
    }
    (void)smg_columns_octet(from, op->depth, columns);
}

/* The sums of four outputs over all segments but the last; false if there is one segment only. */
SMG_INLINE bool smg_conv2d_s8_octet_segments(const smg_conv2d_s8_octet_t *op, const int8_t *w,
                                             const uint32_t *columns, uint32_t totals[32]) {
    int32_t left = op->depth - op->segment;
    if (left <= 0) {
        return false;
    }
    memset(totals, 0, 32 * sizeof *totals);
    SMG_ROLLED
    for (; left > 0; left -= op->segment) {
        uint32_t packed[20];
        smg_dot_4x8_packed(w, columns, op->segment, packed);
        SMG_ROLLED
        for (int32_t o = 0; o < 4; ++o) {
            uint32_t sums[8];
            smg_octet_sums(packed + 5 * o, sums);
            for (int32_t i = 0; i < 8; ++i) {
                totals[8 * o + i] += sums[i];
            }
        }
        w += 4 * op->segment;
        columns += 5 * op->segment;
    }
    return true;
}

/* `count` sums to pixels of one output, `step` bytes apart. */
SMG_INLINE void smg_conv2d_s8_octet_store(const smg_scale_t *scale, const int32_t *words,
                                          const uint32_t *sums, int32_t count, int8_t *y,
                                          int32_t step) {
    if (scale->scale > 0) {
        const int32_t w0 = words[0], w1 = words[1];
        for (int32_t i = 0; i < count; ++i, y += step) {
            *y = smg_scale_line(scale, w0, w1, (int32_t)sums[i]);
        }
    } else {
        const int32_t w[3] = {words[0], words[1], words[2]};
        for (int32_t i = 0; i < count; ++i, y += step) {
            *y = smg_scale_steps(scale, w, (int32_t)sums[i]);
        }
    }
}

/* Up to four outputs of up to eight pixels; `last` is where the last segment starts. */
SMG_INLINE void smg_conv2d_s8_octet_outputs(const smg_conv2d_s8_octet_t *op,
                                            const uint32_t *columns, int32_t first, int32_t last,
                                            int32_t pixels, int8_t *y) {
    const smg_scale_t scale = op->scale;
    const int32_t words_each = smg_scale_words(&scale), step = op->out_channels;
    const int32_t outputs = smg_min(4, step - first);
    const int32_t *words = op->words + first * words_each;
    const int8_t *const w = op->weights + first * op->depth;
    uint32_t totals[32], packed[20];
    const bool more = smg_conv2d_s8_octet_segments(op, w, columns, totals);
    smg_dot_4x8_packed(w + 4 * last, columns + 5 * last, op->depth - last, packed);
    y += first;
    SMG_ROLLED
    for (int32_t o = 0; o < outputs; ++o) {
        uint32_t sums[8];
        smg_octet_sums(packed + 5 * o, sums);
        for (int32_t i = 0; more && i < 8; ++i) {
            sums[i] += totals[8 * o + i];
        }
        if (pixels >= 8) {
            smg_conv2d_s8_octet_store(&scale, words, sums, 8, y, step);
        } else {
            SMG_ROLLED
            for (int32_t i = 0; i < pixels; ++i) {
                smg_conv2d_s8_octet_store(&scale, words, sums + i, 1, y + i * step, step);
            }
        }
        words += words_each;
        ++y;
    }
}

SMG_KERNEL void smg_conv2d_s8_octet(const smg_conv2d_s8_octet_t *op, const int8_t *x, int8_t *y,
                                    uint8_t *scratch) {
    uint32_t *const columns = (uint32_t *)(void *)scratch;
    const int32_t pixels = op->windows.out_pixels;
    const int32_t last = (op->depth - 1) / op->segment * op->segment;
    for (int32_t p = 0; p < pixels; p += 8) {
        smg_conv2d_s8_octet_columns(op, x, p, columns);
        for (int32_t first = 0; first < op->out_channels; first += 4) {
            smg_conv2d_s8_octet_outputs(op, columns, first, last, pixels - p,
                                        y + p * op->out_channels);
        }
    }
    smg_scale_clamp(&op->scale, y, pixels * op->out_channels);
}

#endif
