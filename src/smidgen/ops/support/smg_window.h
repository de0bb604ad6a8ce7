/* smg_window.h: the geometry of a window that slides over an NHWC image with padding. */
#ifndef SMG_WINDOW_H
#define SMG_WINDOW_H

#include "smg.h"

typedef struct {
    int32_t batches, in_rows, in_cols, in_channels;
    int32_t out_rows, out_cols;
    int32_t win_rows, win_cols;
    int32_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
} smg_window_t;

/* The window of one output pixel: its taps [first, end) that lie inside the image, and the input
 * element that tap (0, 0) would have. */
typedef struct {
    int32_t first_row, end_row, first_col, end_col;
    int32_t origin;
} smg_place_t;

SMG_INLINE int32_t smg_pixels(const smg_window_t *w) {
    return w->batches * w->out_rows * w->out_cols;
}

/* The number of taps that lie before position `limit`, from a window that starts at `start`. */
SMG_INLINE int32_t smg_taps_below(int32_t start, int32_t dilation, int32_t taps, int32_t limit) {
    const int32_t room = limit - start;
    return room <= 0 ? 0 : smg_min(taps, (room + dilation - 1) / dilation);
}

SMG_INLINE smg_place_t smg_place(const smg_window_t *w, int32_t pixel) {
    const int32_t image = pixel / (w->out_rows * w->out_cols);
    const int32_t row = pixel / w->out_cols % w->out_rows * w->stride_rows - w->top;
    const int32_t col = pixel % w->out_cols * w->stride_cols - w->left;
    const smg_place_t place = {
        .first_row = smg_taps_below(row, w->dilation_rows, w->win_rows, 0),
        .end_row = smg_taps_below(row, w->dilation_rows, w->win_rows, w->in_rows),
        .first_col = smg_taps_below(col, w->dilation_cols, w->win_cols, 0),
        .end_col = smg_taps_below(col, w->dilation_cols, w->win_cols, w->in_cols),
        .origin = ((image * w->in_rows + row) * w->in_cols + col) * w->in_channels,
    };
    return place;
}

/* The input element of channel 0 under tap (row, col). */
SMG_INLINE int32_t smg_tap(const smg_window_t *w, const smg_place_t *place, int32_t row,
                           int32_t col) {
    const int32_t steps = row * w->dilation_rows * w->in_cols + col * w->dilation_cols;
    return place->origin + steps * w->in_channels;
}

#endif
