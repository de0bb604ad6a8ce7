/* smg_resize_bilinear_f32: bilinear interpolation of float images.
 *
 * y = x00 (1 - fy)(1 - fx) + x10 fy (1 - fx) + x01 (1 - fy) fx + x11 fy fx, added in this order.
 * Offsets of the neighbours are in elements. Exact: equals the reference of ResizeBilinear bit for
 * bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_RESIZE_BILINEAR_F32_H
#define SMG_RESIZE_BILINEAR_F32_H

#include "smg.h"

typedef struct {
    int32_t batches, batch_elements, out_rows, out_cols, channels;
    const SMG_ROM int32_t *row_lower, *row_upper;
    const SMG_ROM float *row_fraction;
    const SMG_ROM int32_t *col_lower, *col_upper;
    const SMG_ROM float *col_fraction;
} smg_resize_bilinear_f32_t;

/* One output pixel: `down` and `right` are its fractions, the pointers its four neighbours. */
SMG_INLINE void smg_resize_bilinear_f32_pixel(int32_t channels, float down, float right,
                                              const float *const *near, float *y) {
    const float up = 1.0f - down, left = 1.0f - right;
    for (int32_t i = 0; i < channels; ++i) {
        const float top_left = near[0][i] * up * left;
        const float bottom_left = near[1][i] * down * left;
        const float top_right = near[2][i] * up * right;
        const float bottom_right = near[3][i] * down * right;
        *y++ = top_left + bottom_left + top_right + bottom_right;
    }
}

SMG_KERNEL void smg_resize_bilinear_f32(const smg_resize_bilinear_f32_t *op, const float *x,
                                        float *y) {
    for (int32_t b = 0; b < op->batches; ++b, x += op->batch_elements) {
        for (int32_t r = 0; r < op->out_rows; ++r) {
            const float *top = x + op->row_lower[r], *bottom = x + op->row_upper[r];
            for (int32_t c = 0; c < op->out_cols; ++c) {
                const int32_t lower = op->col_lower[c], upper = op->col_upper[c];
                const float *const near[] = {top + lower, bottom + lower, top + upper,
                                             bottom + upper};
                smg_resize_bilinear_f32_pixel(op->channels, op->row_fraction[r],
                                              op->col_fraction[c], near, y);
                y += op->channels;
            }
        }
    }
}

#endif
