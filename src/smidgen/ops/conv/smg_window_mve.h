/* smg_window_mve.h: the values under a window of an int8 image, copied with MVE (Helium).
 *
 * A copy has them by row, column and channel; where the window lies outside of the image it has the
 * zero point. Reads nothing outside of the image, and writes nothing outside of the copy.
 */
#ifndef SMG_WINDOW_MVE_H
#define SMG_WINDOW_MVE_H

#include "smg_mve.h"

typedef struct {
    int32_t in_rows, in_cols, in_channels;
    int32_t out_rows, out_cols;
    int32_t win_rows, win_cols;
    int32_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
    int32_t zero_point;
} smg_window_mve_t;

/* The taps [from, to) along one axis that lie inside the image. */
typedef struct {
    int32_t from, to;
} smg_taps_mve_t;

SMG_INLINE smg_taps_mve_t smg_window_mve_inside(int32_t start, int32_t size, int32_t taps,
                                                int32_t step) {
    smg_taps_mve_t inside = {0, taps};
    if (start < 0) {
        inside.from = smg_min((step - 1 - start) / step, taps);
    }
    if (start + (taps - 1) * step >= size) {
        inside.to = smg_max(inside.from, (size - start + step - 1) / step);
    }
    return inside;
}

/* Rows of `count` values each, from rows of the image to rows of a window. */
SMG_INLINE void smg_window_mve_rows(const smg_window_mve_t *window, const int8_t *x, int8_t *column,
                                    int32_t rows, int32_t count) {
    const int32_t step = window->dilation_rows * window->in_cols * window->in_channels;
    const int32_t width = window->win_cols * window->in_channels;
    if (count <= 16) {
        const mve_pred16_t some = vctp8q((uint32_t)count);
        for (int32_t h = 0; h < rows; ++h) {
            vstrbq_p_s8(column, vldrbq_z_s8(x, some), some);
            x += step;
            column += width;
        }
    } else {
        for (int32_t h = 0; h < rows; ++h) {
            smg_mve_copy(column, x, count);
            x += step;
            column += width;
        }
    }
}

/* The values under the window whose columns start at `left`; x is the first of `rows` inside. */
SMG_INLINE void smg_window_mve_copy(const smg_window_mve_t *window, const int8_t *x,
                                    smg_taps_mve_t rows, int32_t left, int8_t *column) {
    const int32_t channels = window->in_channels, width = window->win_cols * channels;
    const int32_t count = rows.to - rows.from, step = window->dilation_cols;
    const smg_taps_mve_t cols =
        smg_window_mve_inside(left, window->in_cols, window->win_cols, step);
    const int32_t taps = cols.to - cols.from;
    if (taps != window->win_cols || count != window->win_rows) {
        smg_mve_fill(column, window->zero_point, width * window->win_rows);
    }
    x += (left + cols.from * step) * channels;
    column += rows.from * width + cols.from * channels;
    if (step == 1) {
        smg_window_mve_rows(window, x, column, count, taps * channels);
    } else {
        for (int32_t w = 0; w < taps; ++w) {
            smg_window_mve_rows(window, x, column, count, channels);
            x += step * channels;
            column += channels;
        }
    }
}

#endif
