/* smg_windows_s8: the windows of a convolution over an int8 image.
 *
 * A window is win_rows x win_cols taps of in_channels bytes each, in that order; taps that lie in
 * the padding are zero_point. Windows are numbered as output pixels are, row by row.
 */
#ifndef SMG_WINDOWS_S8_H
#define SMG_WINDOWS_S8_H

#include "smg.h"
#include "smg_rolled.h"

typedef struct {
    int32_t in_rows, in_cols, in_channels;
    int32_t out_cols, out_pixels;
    int32_t win_rows, win_cols;
    int32_t row_reach, col_reach; /* from the first tap to the last, in pixels */
    int32_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
    int32_t zero_point;
    int32_t runs, run_bytes; /* a window inside is `runs` runs of bytes, `run_step` apart; */
    int32_t run_step;        /* runs = 0: it is not, or its runs are no multiples of 4 */
    int32_t pixel_step;      /* > 0: windows are one run each, this many bytes apart */
} smg_windows_s8_t;

/* Where the first tap of a window lies; rows and columns may be negative. */
typedef struct {
    int32_t row, col;
} smg_tap_t;

SMG_INLINE smg_tap_t smg_windows_s8_at(const smg_windows_s8_t *op, int32_t pixel) {
    const int32_t row = op->out_cols == op->out_pixels ? 0 : pixel / op->out_cols;
    const int32_t col = pixel - row * op->out_cols;
    const smg_tap_t tap = {row * op->stride_rows - op->top, col * op->stride_cols - op->left};
    return tap;
}

SMG_INLINE bool smg_windows_s8_inside(const smg_windows_s8_t *op, smg_tap_t at) {
    return at.row >= 0 && at.col >= 0 && at.row + op->row_reach < op->in_rows &&
           at.col + op->col_reach < op->in_cols;
}

/* The bytes of a window that `runs` describes, or NULL if it does not. */
SMG_INLINE const int8_t *smg_windows_s8_direct(const smg_windows_s8_t *op, const int8_t *x,
                                               int32_t pixel) {
    if (op->pixel_step > 0) {
        return x + pixel * op->pixel_step;
    }
    if (op->runs == 0) {
        return NULL;
    }
    const smg_tap_t at = smg_windows_s8_at(op, pixel);
    return smg_windows_s8_inside(op, at) ? x + (at.row * op->in_cols + at.col) * op->in_channels
                                         : NULL;
}

/* Copies `count` bytes; returns the end of what was written. */
SMG_INLINE int8_t *smg_copy_bytes(const int8_t *from, int32_t count, int8_t *to) {
    SMG_ROLLED
    for (; count >= 4; count -= 4) {
        memcpy(to, from, 4);
        from += 4;
        to += 4;
    }
    SMG_ROLLED
    for (; count > 0; --count) {
        *to++ = *from++;
    }
    return to;
}

SMG_INLINE int8_t *smg_fill_bytes(int32_t value, int32_t count, int8_t *to) {
    SMG_ROLLED
    for (; count > 0; --count) {
        *to++ = (int8_t)value;
    }
    return to;
}

/* Copies any window whose taps are spread along its rows. */
SMG_INLINE void smg_windows_s8_copy_spread(const smg_windows_s8_t *op, const int8_t *x,
                                           smg_tap_t at, int8_t *to) {
    const int32_t channels = op->in_channels;
    SMG_ROLLED
    for (int32_t h = 0; h < op->win_rows; ++h, at.row += op->dilation_rows) {
        int32_t col = at.col;
        SMG_ROLLED
        for (int32_t w = 0; w < op->win_cols; ++w, col += op->dilation_cols) {
            const bool inside =
                at.row >= 0 && at.row < op->in_rows && col >= 0 && col < op->in_cols;
            to = inside ? smg_copy_bytes(x + (at.row * op->in_cols + col) * channels, channels, to)
                        : smg_fill_bytes(op->zero_point, channels, to);
        }
    }
}

/* Copies any window. */
SMG_SMALL static void smg_windows_s8_copy(const smg_windows_s8_t *op, const int8_t *x,
                                          int32_t pixel, int8_t *to) {
    const smg_tap_t at = smg_windows_s8_at(op, pixel);
    if (op->col_reach >= op->win_cols) {
        smg_windows_s8_copy_spread(op, x, at, to);
        return;
    }
    const int32_t channels = op->in_channels;
    const int32_t step = op->dilation_rows * op->in_cols * channels;
    if (smg_windows_s8_inside(op, at)) {
        x += (at.row * op->in_cols + at.col) * channels;
        SMG_ROLLED
        for (int32_t h = op->win_rows; h > 0; --h) {
            to = smg_copy_bytes(x, op->win_cols * channels, to);
            x += h > 1 ? step : 0;
        }
        return;
    }
    const int32_t first = smg_clamp(-at.col, 0, op->win_cols);
    const int32_t end = smg_clamp(op->in_cols - at.col, first, op->win_cols);
    const int32_t before = first * channels, count = (end - first) * channels;
    const int32_t behind = (op->win_cols - end) * channels, zero_point = op->zero_point;
    int32_t row = at.row, from = (at.row * op->in_cols + at.col + first) * channels;
    SMG_ROLLED
    for (int32_t h = 0; h < op->win_rows; ++h) {
        if (row >= 0 && row < op->in_rows) {
            to = smg_fill_bytes(zero_point, before, to);
            to = smg_copy_bytes(x + from, count, to);
            to = smg_fill_bytes(zero_point, behind, to);
        } else {
            to = smg_fill_bytes(zero_point, before + count + behind, to);
        }
        row += op->dilation_rows;
        from += step;
    }
}

#endif
