/* smg_pool2d_f32: average and max pooling on float32, any batch.
 *
 * y = clamp(sum / count), or clamp(max), over the part of the window inside the image. Max is
 * exact; the average is summed in float32, within 1e-5 of the largest output of the reference,
 * which computes in float64. Scratch: none. Goes element by element: for batch 1, y may reach into
 * x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_POOL2D_F32_H
#define SMG_POOL2D_F32_H

#include "smg_window.h"

typedef struct {
    smg_window_t window;
    float low, high;
} smg_pool2d_f32_t;

SMG_INLINE float smg_average_real(const smg_window_t *w, const smg_place_t *place, const float *x) {
    const int32_t rows = place->end_row - place->first_row;
    const int32_t count = rows * (place->end_col - place->first_col);
    float sum = 0.0f;
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            sum += x[smg_tap(w, place, row, col)];
        }
    }
    return sum / (float)count;
}

SMG_INLINE float smg_largest_real(const smg_window_t *w, const smg_place_t *place, const float *x) {
    float largest = x[smg_tap(w, place, place->first_row, place->first_col)];
    for (int32_t row = place->first_row; row < place->end_row; ++row) {
        for (int32_t col = place->first_col; col < place->end_col; ++col) {
            const float value = x[smg_tap(w, place, row, col)];
            largest = value > largest ? value : largest;
        }
    }
    return largest;
}

SMG_INLINE void smg_pool2d_real(const smg_pool2d_f32_t *op, const float *x, bool average,
                                float *y) {
    const smg_window_t *w = &op->window;
    for (int32_t pixel = 0; pixel < smg_pixels(w); ++pixel) {
        const smg_place_t place = smg_place(w, pixel);
        for (int32_t c = 0; c < w->in_channels; ++c) {
            const float value =
                average ? smg_average_real(w, &place, x + c) : smg_largest_real(w, &place, x + c);
            const float raised = value < op->low ? op->low : value;
            *y++ = raised > op->high ? op->high : raised;
        }
    }
}

SMG_KERNEL void smg_average_pool2d_f32(const smg_pool2d_f32_t *op, const float *x, float *y) {
    smg_pool2d_real(op, x, true, y);
}

SMG_KERNEL void smg_max_pool2d_f32(const smg_pool2d_f32_t *op, const float *x, float *y) {
    smg_pool2d_real(op, x, false, y);
}

#endif
