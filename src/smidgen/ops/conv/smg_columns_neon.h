/* smg_columns_neon.h: the values under the windows of an int8 image as columns, with Advanced SIMD.
 *
 * A column has them by row, column and channel; where the window lies outside of the image it has
 * the zero point. Columns are made in fours and `apart` bytes from each other. Reads nothing
 * outside of the image; writes up to 15 bytes behind a column, where the next one or slack is.
 */
#ifndef SMG_COLUMNS_NEON_H
#define SMG_COLUMNS_NEON_H

#include "smg_neon.h"
#include "smg_rolled.h"
#include "smg_window.h"

typedef struct {
    smg_window_t window;
    int32_t zero_point, apart;
} smg_columns_neon_t;

/* The next output pixel, where the window's first tap lies, and how many pixels are left. */
typedef struct {
    int32_t col, top, left, pixels;
} smg_walk_neon_t;

SMG_INLINE smg_walk_neon_t smg_walk_neon(const smg_window_t *window) {
    const smg_walk_neon_t walk = {0, -window->top, -window->left,
                                  window->out_rows * window->out_cols};
    return walk;
}

SMG_INLINE void smg_walk_neon_on(const smg_window_t *window, smg_walk_neon_t *walk) {
    --walk->pixels;
    walk->left += window->stride_cols;
    if (++walk->col == window->out_cols) {
        walk->col = 0;
        walk->left = -window->left;
        walk->top += window->stride_rows;
    }
}

/* Whether all taps from `start` on lie inside of `size`. */
SMG_INLINE bool smg_inside_neon(int32_t start, int32_t dilation, int32_t taps, int32_t size) {
    return start >= 0 && start + (taps - 1) * dilation < size;
}

/* A window that lies inside, of which each row is `width` contiguous bytes; copies whole vectors.
 */
SMG_INLINE void smg_column_neon_rows(const int8_t *from, int32_t step, int32_t rows, int32_t width,
                                     int8_t *column) {
    do {
        int32_t at = 0;
        SMG_ROLLED
        do {
            vst1q_s8(column + at, vld1q_s8(from + at));
            at += 16;
        } while (at < width);
        from += step;
        column += width;
    } while (--rows > 0);
}

/* Any window. */
SMG_INLINE void smg_column_neon_any(const smg_columns_neon_t *op, const int8_t *x, int32_t top,
                                    int32_t left, int8_t *column) {
    const smg_window_t *const window = &op->window;
    const int32_t channels = window->in_channels, step = window->dilation_cols;
    const int32_t width = window->win_cols * channels;
    const int32_t from = smg_taps_below(left, step, window->win_cols, 0);
    const int32_t taps = smg_taps_below(left, step, window->win_cols, window->in_cols) - from;
    const int32_t runs = step == 1 ? smg_min(taps, 1) : taps;
    const int32_t run = step == 1 ? taps * channels : channels;
    for (int32_t at = 0; at < width * window->win_rows; at += 16) {
        vst1q_s8(column + at, vdupq_n_s8((int8_t)op->zero_point));
    }
    for (int32_t h = 0; h < window->win_rows; ++h) {
        const int32_t row = top + h * window->dilation_rows;
        if (row >= 0 && row < window->in_rows) {
            const int8_t *tap = x + (row * window->in_cols + left + from * step) * channels;
            int8_t *to = column + h * width + from * channels;
            for (int32_t k = 0; k < runs; ++k) {
                smg_neon_copy(to, tap, run);
                tap += step * channels;
                to += channels;
            }
        }
    }
}

/* The columns of the next pixels, up to four; gives their number. */
SMG_INLINE int32_t smg_columns_neon(const smg_columns_neon_t *op, const int8_t *x,
                                    smg_walk_neon_t *walk, int8_t *columns) {
    const smg_window_t *const window = &op->window;
    const int32_t channels = window->in_channels, width = window->win_cols * channels;
    const int32_t line = window->in_cols * channels, step = window->dilation_rows * line;
    const int32_t copied = (window->win_rows - 1) * step + ((width + 15) & ~15);
    const int32_t pixels = smg_min(walk->pixels, 4);
    for (int32_t p = 0; p < pixels; ++p) {
        const int32_t at = walk->top * line + walk->left * channels;
        if ((window->dilation_cols == 1 || window->win_cols == 1) &&
            at + copied <= window->in_rows * line &&
            smg_inside_neon(walk->top, window->dilation_rows, window->win_rows, window->in_rows) &&
            smg_inside_neon(walk->left, 1, window->win_cols, window->in_cols)) {
            smg_column_neon_rows(x + at, step, window->win_rows, width, columns);
        } else {
            smg_column_neon_any(op, x, walk->top, walk->left, columns);
        }
        columns += op->apart;
        smg_walk_neon_on(window, walk);
    }
    return pixels;
}

/* The same for 1 x 1 windows with stride 1 and no padding: `left` pixels that start at x. */
SMG_INLINE int32_t smg_points_neon(const smg_columns_neon_t *op, const int8_t *x, int32_t left,
                                   int8_t *columns) {
    const int32_t channels = op->window.in_channels, pixels = smg_min(left, 4);
    if (op->apart == channels) {
        smg_neon_copy(columns, x, pixels * channels);
    } else {
        for (int32_t p = 0; p < pixels; ++p) {
            smg_neon_copy(columns + p * op->apart, x + p * channels, channels);
        }
    }
    return pixels;
}

#endif
