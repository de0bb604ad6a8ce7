/* smg_resize_bilinear_s8: bilinear interpolation of int8 images.
 *
 * y = x00 (1 - fy)(1 - fx) + x10 fy (1 - fx) + x01 (1 - fy) fx + x11 fy fx, fractions in units of
 * 1/1024, the sum rounded to the nearest with ties away from zero.
 * Offsets of the neighbours are in elements. Exact: equals the reference of ResizeBilinear bit for
 * bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_RESIZE_BILINEAR_S8_H
#define SMG_RESIZE_BILINEAR_S8_H

#include "smg.h"

typedef struct {
    int32_t batches, batch_elements, out_rows, out_cols, channels;
    const SMG_ROM int32_t *row_lower, *row_upper;
    const SMG_ROM int32_t *row_fraction;
    const SMG_ROM int32_t *col_lower, *col_upper;
    const SMG_ROM int32_t *col_fraction;
} smg_resize_bilinear_s8_t;

/* One output pixel: `down` and `right` are its fractions, the pointers its four neighbours. */
SMG_INLINE void smg_resize_bilinear_s8_pixel(int32_t channels, int32_t down, int32_t right,
                                             const int8_t *const *near, int8_t *y) {
    const int32_t up = 1024 - down, left = 1024 - right;
    for (int32_t i = 0; i < channels; ++i) {
        const int32_t top_left = near[0][i] * up * left;
        const int32_t bottom_left = near[1][i] * down * left;
        const int32_t top_right = near[2][i] * up * right;
        const int32_t bottom_right = near[3][i] * down * right;
        const int32_t sum = top_left + bottom_left + top_right + bottom_right;
        *y++ = (int8_t)((sum + (sum > 0 ? INT32_C(1) << 19 : -(INT32_C(1) << 19))) /
                        (INT32_C(1) << 20));
    }
}

SMG_KERNEL void smg_resize_bilinear_s8(const smg_resize_bilinear_s8_t *op, const int8_t *x,
                                       int8_t *y) {
    for (int32_t b = 0; b < op->batches; ++b, x += op->batch_elements) {
        for (int32_t r = 0; r < op->out_rows; ++r) {
            const int8_t *top = x + op->row_lower[r], *bottom = x + op->row_upper[r];
            for (int32_t c = 0; c < op->out_cols; ++c) {
                const int32_t lower = op->col_lower[c], upper = op->col_upper[c];
                const int8_t *const near[] = {top + lower, bottom + lower, top + upper,
                                              bottom + upper};
                smg_resize_bilinear_s8_pixel(op->channels, op->row_fraction[r], op->col_fraction[c],
                                             near, y);
                y += op->channels;
            }
        }
    }
}

#endif
