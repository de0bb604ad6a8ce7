/* smg_average_pool2d_s8_mve, smg_max_pool2d_s8_mve: pooling on int8 for Arm cores with MVE
 * (Helium).
 *
 * average: round(sum / count) over the part of the window inside the image, ties away from zero.
 * max: the largest element there. Both then clamp. Sixteen channels go at once. Sums are kept in 16
 * bits, so that averages take windows of at most 255 elements. The quotient is the high half of
 * n * ceil(2^32 / count), exact for 0 <= n < 2^17: the product is too large by less than
 * n * count < 2^32.
 * Exact: equals the references of AveragePool2D and MaxPool2D bit for bit. Scratch: none. Goes
 * element by element as far as overlaps are concerned: y may reach into x as far as
 * safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_POOL2D_S8_MVE_H
#define SMG_POOL2D_S8_MVE_H

#include "smg_mve.h"
#include "smg_pool2d_s8.h"

/* How sums become means. */
typedef struct {
    int32_t count, half;
    uint32_t reciprocal;
} smg_pool2d_mve_divisor_t;

SMG_INLINE smg_pool2d_mve_divisor_t smg_pool2d_mve_divisor(int32_t count) {
    const uint32_t divisor = (uint32_t)smg_max(count, 2); /* 1 divides nothing */
    const smg_pool2d_mve_divisor_t made = {count, count / 2, 0xffffffffu / divisor + 1u};
    return made;
}

/* Four quotients, count >= 2: 256 * count is added to be rid of the sign. With an even count, a
 * negative sum is made one smaller, so that its ties go down. */
SMG_INLINE int32x4_t smg_pool2d_mve_mean(int32x4_t sum, smg_pool2d_mve_divisor_t by) {
    const int32x4_t even = vdupq_n_s32((by.count & 1) - 1);
    sum = vaddq_s32(sum, vandq_s32(vshrq_n_s32(sum, 31), even));
    const uint32x4_t n = vreinterpretq_u32_s32(vaddq_n_s32(sum, by.half + 256 * by.count));
    const uint32x4_t quotient = vmulhq_u32(n, vdupq_n_u32(by.reciprocal));
    return vsubq_n_s32(vreinterpretq_s32_u32(quotient), 256);
}

SMG_INLINE int16x8_t smg_pool2d_mve_means(int16x8_t sums, smg_pool2d_mve_divisor_t by) {
    const int32x4_t low = smg_pool2d_mve_mean(vmovlbq_s16(sums), by);
    const int32x4_t high = smg_pool2d_mve_mean(vmovltq_s16(sums), by);
    return vmovntq_s32(vmovnbq_s32(sums, low), high);
}

SMG_INLINE int8x16_t smg_pool2d_mve_clamped(const smg_pool2d_s8_t *op, int8x16_t values) {
    values = vminq_s8(values, vdupq_n_s8((int8_t)op->high));
    return vmaxq_s8(values, vdupq_n_s8((int8_t)op->low));
}

/* Up to sixteen channels of a window that starts at x. */
SMG_INLINE int8x16_t smg_pool2d_mve_average(const smg_pool2d_s8_t *op, const int8_t *x,
                                            int32_t rows, int32_t cols, smg_pool2d_mve_divisor_t by,
                                            mve_pred16_t some) {
    int16x8_t even = vdupq_n_s16(0), odd = vdupq_n_s16(0);
    for (int32_t row = 0; row < rows; ++row) {
        const int8_t *from = x;
        for (int32_t col = 0; col < cols; ++col) {
            const int8x16_t values = vldrbq_z_s8(from, some);
            even = vaddq_s16(even, vmovlbq_s8(values));
            odd = vaddq_s16(odd, vmovltq_s8(values));
            from += op->channels;
        }
        x += op->in_cols * op->channels;
    }
    if (by.count > 1) {
        even = smg_pool2d_mve_means(even, by);
        odd = smg_pool2d_mve_means(odd, by);
    }
    return vmovntq_s16(vmovnbq_s16(vdupq_n_s8(0), even), odd);
}

SMG_INLINE int8x16_t smg_pool2d_mve_largest(const smg_pool2d_s8_t *op, const int8_t *x,
                                            int32_t rows, int32_t cols, mve_pred16_t some) {
    int8x16_t largest = vdupq_n_s8(INT8_MIN);
    for (int32_t row = 0; row < rows; ++row) {
        const int8_t *from = x;
        for (int32_t col = 0; col < cols; ++col) {
            largest = vmaxq_s8(largest, vldrbq_z_s8(from, some));
            from += op->channels;
        }
        x += op->in_cols * op->channels;
    }
    return largest;
}

SMG_INLINE void smg_pool2d_mve(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y,
                               bool average) {
    for (int32_t r = 0; r < op->out_rows; ++r) {
        for (int32_t c = 0; c < op->out_cols; ++c) {
            const smg_pool2d_span_t span = smg_pool2d_span(op, r, c);
            const int32_t rows = span.row_end - span.row, cols = span.col_end - span.col;
            const int8_t *from = x + (span.row * op->in_cols + span.col) * op->channels;
            const smg_pool2d_mve_divisor_t by = smg_pool2d_mve_divisor(rows * cols);
            for (int32_t left = op->channels; left > 0; left -= 16) {
                const mve_pred16_t some = vctp8q((uint32_t)left);
                const int8x16_t values =
                    average ? smg_pool2d_mve_average(op, from, rows, cols, by, some)
                            : smg_pool2d_mve_largest(op, from, rows, cols, some);
                vstrbq_p_s8(y, smg_pool2d_mve_clamped(op, values), some);
                from += 16;
                y += smg_min(left, 16);
            }
        }
    }
}

SMG_KERNEL void smg_average_pool2d_s8_mve(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_mve(op, x, y, true);
}

SMG_KERNEL void smg_max_pool2d_s8_mve(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_mve(op, x, y, false);
}

#endif
