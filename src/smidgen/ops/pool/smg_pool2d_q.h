/* smg_pool2d_q: average and max pooling on int8 or int16, any batch.
 *
 * y = clamp(round(sum / count)), ties away from zero, or clamp(max), over the part of the window
 * inside the image. Exact: equals the references of AveragePool2D and MaxPool2D bit for bit.
 * Scratch: none. Goes element by element: for batch 1, y may reach into x as far as
 * safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_POOL2D_Q_H
#define SMG_POOL2D_Q_H

#include "smg_quanta.h"
#include "smg_window.h"

typedef struct {
    smg_window_t window;
    int32_t low, high;
} smg_pool2d_q_t;

SMG_INLINE int32_t smg_average_quanta(const smg_window_t *w, const smg_place_t *place,
                                      const void *x, int32_t bits, int32_t channel) {
    const int32_t rows = place->end_row - place->first_row;
    const int32_t count = rows * (place->end_col - place->first_col);
    int32_t sum = 0;
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            sum += smg_load(x, bits, smg_tap(w, place, row, col) + channel);
        }
    }
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

SMG_INLINE int32_t smg_largest_quanta(const smg_window_t *w, const smg_place_t *place,
                                      const void *x, int32_t bits, int32_t channel) {
    int32_t largest = INT16_MIN;
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            largest = smg_max(largest, smg_load(x, bits, smg_tap(w, place, row, col) + channel));
        }
    }
    return largest;
}

SMG_INLINE void smg_pool2d_q(const smg_pool2d_q_t *op, const void *x, int32_t bits, bool average,
                             void *y) {
    const smg_window_t *w = &op->window;
    for (int32_t pixel = 0; pixel < smg_pixels(w); ++pixel) {
        const smg_place_t place = smg_place(w, pixel);
        for (int32_t c = 0; c < w->in_channels; ++c) {
            const int32_t value = average ? smg_average_quanta(w, &place, x, bits, c)
                                          : smg_largest_quanta(w, &place, x, bits, c);
            smg_store(y, bits, pixel * w->in_channels + c, smg_clamp(value, op->low, op->high));
        }
    }
}

SMG_KERNEL void smg_average_pool2d_q8(const smg_pool2d_q_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_q(op, x, 8, true, y);
}

SMG_KERNEL void smg_average_pool2d_q16(const smg_pool2d_q_t *op, const int16_t *x, int16_t *y) {
    smg_pool2d_q(op, x, 16, true, y);
}

SMG_KERNEL void smg_max_pool2d_q8(const smg_pool2d_q_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_q(op, x, 8, false, y);
}

SMG_KERNEL void smg_max_pool2d_q16(const smg_pool2d_q_t *op, const int16_t *x, int16_t *y) {
    smg_pool2d_q(op, x, 16, false, y);
}

#endif
