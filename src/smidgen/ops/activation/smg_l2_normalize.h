/* smg_l2_normalize: x / |x| over rows of int8 or float32.
 *
 * int8: the reciprocal root by five Newton steps; output scale 1/128, zero point 0. float32: sums
 * from left to right, lengths of at least 1e-6. Exact: equals the reference of L2Normalize bit for
 * bit. Scratch: none. y may be x.
 */
#ifndef SMG_L2_NORMALIZE_H
#define SMG_L2_NORMALIZE_H

#include "smg_inverse_root.h"
#include "smg_math.h"

typedef struct {
    int32_t rows, depth, zero_point;
} smg_l2_normalize_s8_t;

typedef struct {
    int32_t rows, depth;
} smg_l2_normalize_f32_t;

SMG_KERNEL void smg_l2_normalize_s8(const smg_l2_normalize_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t n = 0; n < op->rows; ++n, x += op->depth, y += op->depth) {
        int32_t squares = 0;
        for (int32_t i = 0; i < op->depth; ++i) {
            squares += (x[i] - op->zero_point) * (x[i] - op->zero_point);
        }
        int32_t shift;
        const int32_t root = smg_inverse_root(squares, &shift);
        for (int32_t i = 0; i < op->depth; ++i) {
            const int32_t scaled = smg_requantize(x[i] - op->zero_point, root, shift + 7);
            y[i] = (int8_t)smg_clamp(scaled, INT8_MIN, INT8_MAX);
        }
    }
}

SMG_KERNEL void smg_l2_normalize_f32(const smg_l2_normalize_f32_t *op, const float *x, float *y) {
    for (int32_t n = 0; n < op->rows; ++n, x += op->depth, y += op->depth) {
        float squares = 0.0f;
        for (int32_t i = 0; i < op->depth; ++i) {
            squares += x[i] * x[i];
        }
        const float root = smg_sqrtf(squares);
        const float length = root < 1e-6f ? 1e-6f : root;
        for (int32_t i = 0; i < op->depth; ++i) {
            y[i] = x[i] / length;
        }
    }
}

#endif
