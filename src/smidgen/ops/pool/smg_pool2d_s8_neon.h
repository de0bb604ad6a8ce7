/* smg_average_pool2d_s8_neon, smg_max_pool2d_s8_neon: pooling on int8 for AArch64 cores with
 * Advanced SIMD (NEON).
 *
 * average: round(sum / count) over the part of the window inside the image, ties away from zero.
 * max: the largest element there. Both then clamp. Sixteen channels go at once; the last ones may
 * be fewer. Sums are kept in 16 bits, so that averages take windows of at most 255 elements. The
 * quotient is the high half of n * ceil(2^32 / count), exact for 0 <= n < 2^17: the product is too
 * large by less than n * count < 2^32.
 * Exact: equals the references of AveragePool2D and MaxPool2D bit for bit. Scratch: none. Reads
 * nothing outside of the image. Goes element by element as far as overlaps are concerned: y may
 * reach into x as far as safe_conv_distance (ops/support/overlap.py) says.
 */
#ifndef SMG_POOL2D_S8_NEON_H
#define SMG_POOL2D_S8_NEON_H

#include "smg_neon.h"
#include "smg_pool2d_s8.h"

/* How sums become means. */
typedef struct {
    int32_t count, half;
    uint32_t reciprocal;
} smg_pool2d_neon_divisor_t;

SMG_INLINE smg_pool2d_neon_divisor_t smg_pool2d_neon_divisor(int32_t count) {
    const uint32_t divisor = (uint32_t)smg_max(count, 2); /* 1 divides nothing */
    const smg_pool2d_neon_divisor_t made = {count, count / 2, 0xffffffffu / divisor + 1u};
    return made;
}

/* Four quotients, count >= 2: 256 * count is added to be rid of the sign. With an even count, a
 * negative sum is made one smaller, so that its ties go down. */
SMG_INLINE int32x4_t smg_pool2d_neon_mean(int32x4_t sum, smg_pool2d_neon_divisor_t by) {
    const int32x4_t even = vdupq_n_s32((by.count & 1) - 1);
    sum = vaddq_s32(sum, vandq_s32(vshrq_n_s32(sum, 31), even));
    const uint32x4_t n =
        vreinterpretq_u32_s32(vaddq_s32(sum, vdupq_n_s32(by.half + 256 * by.count)));
    const uint64x2_t low = vmull_u32(vget_low_u32(n), vdup_n_u32(by.reciprocal));
    const uint64x2_t high = vmull_high_u32(n, vdupq_n_u32(by.reciprocal));
    const uint32x4_t quotient = vuzp2q_u32(vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high));
    return vsubq_s32(vreinterpretq_s32_u32(quotient), vdupq_n_s32(256));
}

SMG_INLINE int16x8_t smg_pool2d_neon_means(int16x8_t sums, smg_pool2d_neon_divisor_t by) {
    const int32x4_t low = smg_pool2d_neon_mean(vmovl_s16(vget_low_s16(sums)), by);
    const int32x4_t high = smg_pool2d_neon_mean(vmovl_high_s16(sums), by);
    return vmovn_high_s32(vmovn_s32(low), high);
}

/* Sixteen values, or `left` where the image has no more behind them. */
SMG_INLINE int8x16_t smg_pool2d_neon_load(const int8_t *x, const int8_t *end, int32_t left) {
    return end - x >= 16 ? vld1q_s8(x) : smg_neon_load_upto(x, smg_min(left, 16));
}

/* Up to sixteen channels of a window that starts at x. */
SMG_INLINE int8x16_t smg_pool2d_neon_average(const smg_pool2d_s8_t *op, const int8_t *x,
                                             int32_t rows, int32_t cols,
                                             smg_pool2d_neon_divisor_t by, const int8_t *end,
                                             int32_t left) {
    int16x8_t low = vdupq_n_s16(0), high = vdupq_n_s16(0);
    for (int32_t row = 0; row < rows; ++row) {
        const int8_t *from = x;
        for (int32_t col = 0; col < cols; ++col) {
            const int8x16_t values = smg_pool2d_neon_load(from, end, left);
            low = vaddw_s8(low, vget_low_s8(values));
            high = vaddw_high_s8(high, values);
            from += op->channels;
        }
        x += op->in_cols * op->channels;
    }
    if (by.count > 1) {
        low = smg_pool2d_neon_means(low, by);
        high = smg_pool2d_neon_means(high, by);
    }
    return vmovn_high_s16(vmovn_s16(low), high);
}

SMG_INLINE int8x16_t smg_pool2d_neon_largest(const smg_pool2d_s8_t *op, const int8_t *x,
                                             int32_t rows, int32_t cols, const int8_t *end,
                                             int32_t left) {
    int8x16_t largest = vdupq_n_s8(INT8_MIN);
    for (int32_t row = 0; row < rows; ++row) {
        const int8_t *from = x;
        for (int32_t col = 0; col < cols; ++col) {
            largest = vmaxq_s8(largest, smg_pool2d_neon_load(from, end, left));
            from += op->channels;
        }
        x += op->in_cols * op->channels;
    }
    return largest;
}

SMG_INLINE void smg_pool2d_neon(const smg_pool2d_s8_t *params, const int8_t *x, int8_t *y,
                                bool average) {
    const smg_pool2d_s8_t local = *params, *const op = &local;
    const int8_t *const end = x + op->in_rows * op->in_cols * op->channels;
    const int8x16_t least = vdupq_n_s8((int8_t)op->low), most = vdupq_n_s8((int8_t)op->high);
    for (int32_t r = 0; r < op->out_rows; ++r) {
        for (int32_t c = 0; c < op->out_cols; ++c) {
            const smg_pool2d_span_t span = smg_pool2d_span(op, r, c);
            const int32_t rows = span.row_end - span.row, cols = span.col_end - span.col;
            const int8_t *from = x + (span.row * op->in_cols + span.col) * op->channels;
            const smg_pool2d_neon_divisor_t by = smg_pool2d_neon_divisor(rows * cols);
            for (int32_t left = op->channels; left > 0; left -= 16) {
                const int8x16_t values =
                    average ? smg_pool2d_neon_average(op, from, rows, cols, by, end, left)
                            : smg_pool2d_neon_largest(op, from, rows, cols, end, left);
                smg_neon_store_upto(y, vmaxq_s8(vminq_s8(values, most), least), left);
                from += 16;
                y += smg_min(left, 16);
            }
        }
    }
}

SMG_KERNEL void smg_average_pool2d_s8_neon(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_neon(op, x, y, true);
}

SMG_KERNEL void smg_max_pool2d_s8_neon(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_neon(op, x, y, false);
}

#endif
