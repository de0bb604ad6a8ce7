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

/* The window of one output pixel: the row of its first tap, which of its columns lie inside,
 * [first, end), and the input element of the first of these in that row. */
typedef struct {
    int row, first, end, origin;
} smg_place_avr_t;

SMG_INLINE smg_place_avr_t smg_place_avr(const smg_windows_avr_t *w, int row, int col) {
    smg_place_avr_t place = {row * w->stride_rows - w->top, 0, 0, 0};
    int at = col * w->stride_cols - w->left;
    while (place.first < w->win_cols && at < 0) {
        at += w->dilation_cols;
        ++place.first;
    }
    place.origin = place.row * w->row_elements + at * w->in_channels;
    place.end = place.first;
    while (place.end < w->win_cols && at < w->in_cols) {
        at += w->dilation_cols;
        ++place.end;
    }
    return place;
}

SMG_INLINE int8_t smg_output_avr(const smg_windows_avr_t *w, int32_t sum, int o) {
    const int32_t quantum = smg_avr_requantize(sum, w->mantissas[o], w->shifts[o]);
    return (int8_t)smg_clamp(quantum + w->out_zero_point, w->low, w->high);
}

#endif
