/* smg_columns_neon.h: the values under the windows of an int8 image as columns, with Advanced SIMD.
 *
 * A column has them by row, column and channel; where the window lies outside of the image it has
 * the zero point. Reads nothing outside of the image.
 */
#ifndef SMG_COLUMNS_NEON_H
#define SMG_COLUMNS_NEON_H

#include "smg_neon.h"
#include "smg_window.h"

/* Taps [from, to) along one axis lie inside the image; the first tap lies at `start`. */
typedef struct {
    int32_t start, from, to;
} smg_taps_neon_t;

SMG_INLINE smg_taps_neon_t smg_taps_neon(int32_t start, int32_t dilation, int32_t taps,
                                         int32_t size) {
    const smg_taps_neon_t inside = {start, smg_taps_below(start, dilation, taps, 0),
                                    smg_taps_below(start, dilation, taps, size)};
    return inside;
}

SMG_INLINE void smg_column_neon(const smg_window_t *window, const int8_t *x, smg_taps_neon_t rows,
                                smg_taps_neon_t cols, int32_t zero_point, int8_t *column) {
    const int32_t channels = window->in_channels, width = window->win_cols * channels;
    const int32_t taps = cols.to - cols.from, step = window->dilation_cols;
    if (taps != window->win_cols || rows.to - rows.from != window->win_rows) {
        smg_neon_fill(column, zero_point, width * window->win_rows);
    }
    x += (cols.start + cols.from * step) * channels;
    column += cols.from * channels;
    for (int32_t h = rows.from; h < rows.to; ++h) {
        const int32_t row = rows.start + h * window->dilation_rows;
        const int8_t *from = x + row * window->in_cols * channels;
        int8_t *to = column + h * width;
        if (step == 1) {
            smg_neon_copy(to, from, taps * channels);
        } else {
            for (int32_t w = 0; w < taps; ++w) {
                smg_neon_copy(to, from, channels);
                from += step * channels;
                to += channels;
            }
        }
    }
}

#endif
