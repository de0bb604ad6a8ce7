/* smg_windows_avr.h: the geometry of int8 convolutions on 8-bit AVR, in 16 bits. */
#ifndef SMG_WINDOWS_AVR_H
#define SMG_WINDOWS_AVR_H

#include "smg_avr.h"

typedef struct {
    int16_t in_rows, in_cols, in_channels;
    int16_t out_rows, out_cols, out_channels;
    int16_t win_rows, win_cols;
    int16_t stride_rows, stride_cols, dilation_rows, dilation_cols, top, left;
    int16_t row_elements, row_step; /* of the input: in one row, and from tap row to tap row */
    int16_t zero_point, out_zero_point, low, high;
    const SMG_ROM int8_t *weights;
    const SMG_ROM int32_t *bias;
    const SMG_ROM int32_t *mantissas;
    const SMG_ROM int8_t *shifts;
} smg_windows_avr_t;

/* The window of one output pixel: its taps that lie inside the image, rows [first_row, end_row)
 * and columns [first_col, end_col), and the input element under the first of these. */
typedef struct {
    int first_row, end_row, first_col, end_col, origin;
} smg_place_avr_t;

/* The first tap at or behind `limit`, from a window that starts at `start`. */
SMG_INLINE int smg_tap_avr(int start, int dilation, int taps, int limit) {
    int tap = 0;
    while (tap < taps && start < limit) {
        start += dilation;
        ++tap;
    }
    return tap;
}

SMG_INLINE smg_place_avr_t smg_place_avr(const smg_windows_avr_t *w, int r, int c) {
    const int row = r * w->stride_rows - w->top, col = c * w->stride_cols - w->left;
    smg_place_avr_t place = {
        .first_row = smg_tap_avr(row, w->dilation_rows, w->win_rows, 0),
        .end_row = smg_tap_avr(row, w->dilation_rows, w->win_rows, w->in_rows),
        .first_col = smg_tap_avr(col, w->dilation_cols, w->win_cols, 0),
        .end_col = smg_tap_avr(col, w->dilation_cols, w->win_cols, w->in_cols),
        .origin = 0,
    };
    place.origin = row * w->row_elements + place.first_row * w->row_step +
                   (col + place.first_col * w->dilation_cols) * w->in_channels;
    return place;
}

SMG_INLINE bool smg_is_inside_avr(const smg_windows_avr_t *w, const smg_place_avr_t *place) {
    return place->first_row == 0 && place->end_row == w->win_rows && place->first_col == 0 &&
           place->end_col == w->win_cols;
}

/* The sum of the weights under taps outside the image, `depth` for each tap. */
SMG_NOINLINE static int32_t smg_outside_avr(int win_rows, int win_cols, int depth,
                                            const SMG_ROM int8_t *weights,
                                            const smg_place_avr_t *place) {
    const int left = place->first_col * depth, right = (win_cols - place->end_col) * depth;
    const int between = (place->end_col - place->first_col) * depth, all = win_cols * depth;
    int32_t total = 0;
    for (int row = 0; row < win_rows; ++row) {
        const bool inside = row >= place->first_row && row < place->end_row;
        for (int n = inside ? left : all; n > 0; --n) {
            total += *weights++;
        }
        if (inside) {
            weights += between;
            for (int n = right; n > 0; --n) {
                total += *weights++;
            }
        }
    }
    return total;
}

/* The rectangle of taps that lie inside; those of one row have `depth` weights for each column,
 * and lie `step` apart. */
SMG_INLINE smg_avr_area_t smg_area_avr(const smg_windows_avr_t *w, const smg_place_avr_t *place,
                                       int depth, int step) {
    const int cols = place->end_col - place->first_col;
    const smg_avr_area_t area = {
        .count = (uint16_t)(cols * depth),
        .step = (uint16_t)step,
        .x_skip = (uint16_t)(w->row_step - cols * depth * step),
        .w_skip = (uint16_t)((w->win_cols - cols) * depth),
        .rows = (uint8_t)(place->end_row - place->first_row),
    };
    return area;
}

SMG_INLINE bool smg_is_empty_avr(const smg_avr_area_t *area) {
    return area->rows == 0 || area->count == 0;
}

SMG_INLINE int8_t smg_output_avr(const smg_windows_avr_t *w, int32_t sum, int o) {
    const int32_t quantum = smg_requantize(sum, w->mantissas[o], w->shifts[o]);
    return (int8_t)smg_clamp(quantum + w->out_zero_point, w->low, w->high);
}

#endif
