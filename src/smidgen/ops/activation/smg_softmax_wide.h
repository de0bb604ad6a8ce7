/* smg_softmax_wide: softmax over rows of int16, of int8 with int16 output, and of float32.
 *
 * int16: exp and 1 / (1 + x) interpolated in tables of 513 entries; output scale 1/32768.
 * int8 to int16: exp of each difference from a table (Q0.31); output scale 1/65536 from -32768.
 * float32: sums from left to right. Exact: equals the reference of Softmax bit for bit. Scratch:
 * none. y may be x where both have one type.
 */
#ifndef SMG_SOFTMAX_WIDE_H
#define SMG_SOFTMAX_WIDE_H

#include "smg_math.h"
#include "smg_reciprocal.h"

typedef struct {
    int32_t rows, depth, mantissa, shift;
    const SMG_ROM int16_t *exp_table, *reciprocal_table;
} smg_softmax_s16_t;

typedef struct {
    int32_t rows, depth;
    const SMG_ROM int32_t *exps; /* of the differences 0, -1 ... -255; 0 where too small */
} smg_softmax_s8_s16_t;

typedef struct {
    int32_t rows, depth;
    float beta;
} smg_softmax_f32_t;

/* A table of 513 entries at an int16 x: 9 bits of index, 7 of interpolation. */
SMG_INLINE int32_t smg_interpolate_s16(const SMG_ROM int16_t *table, int32_t x) {
    const int32_t index = 256 + (x >> 7);
    const int32_t low = table[index];
    return low + (((table[index + 1] - low) * (x & 127) + 64) >> 7);
}

SMG_INLINE void smg_softmax_s16_row(const smg_softmax_s16_t *op, const int16_t *x, int16_t *y) {
    int32_t largest = INT16_MIN;
    for (int32_t i = 0; i < op->depth; ++i) {
        largest = smg_max(largest, x[i]);
    }
    int32_t sum = 0;
    for (int32_t i = 0; i < op->depth; ++i) {
        const int32_t scaled = smg_requantize(x[i] - largest, op->mantissa, op->shift) + INT16_MAX;
        const int32_t at = smg_clamp(scaled, INT16_MIN, INT16_MAX);
        y[i] = (int16_t)smg_interpolate_s16(op->exp_table, at);
        sum += y[i];
    }
    const int32_t zeros = smg_leading_zeros((uint32_t)sum);
    const int32_t shifted = (int32_t)((((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14);
    const int32_t position =
        smg_clamp(shifted - (INT32_C(1) << 15) - (INT32_C(1) << 16), INT16_MIN, INT16_MAX);
    const int32_t reciprocal = smg_interpolate_s16(op->reciprocal_table, position);
    const int32_t half = (int32_t)1 << (30 - zeros);
    for (int32_t i = 0; i < op->depth; ++i) {
        y[i] = (int16_t)smg_clamp((y[i] * reciprocal + half) >> (31 - zeros), 0, INT16_MAX);
    }
}

SMG_KERNEL void smg_softmax_s16(const smg_softmax_s16_t *op, const int16_t *x, int16_t *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        smg_softmax_s16_row(op, x + n * op->depth, y + n * op->depth);
    }
}

SMG_INLINE void smg_softmax_s8_s16_row(const smg_softmax_s8_s16_t *op, const int8_t *x,
                                       int16_t *y) {
    int32_t largest = INT8_MIN;
    for (int32_t i = 0; i < op->depth; ++i) {
        largest = smg_max(largest, x[i]);
    }
    int32_t sum = 0; /* Q12.19 */
    for (int32_t i = 0; i < op->depth; ++i) {
        sum += smg_rounding_shift(op->exps[largest - x[i]], 12);
    }
    const int32_t zeros = smg_leading_zeros((uint32_t)sum);
    const int32_t scale =
        smg_one_over_one_plus_q31((int32_t)(((uint32_t)sum << zeros) - 0x80000000u));
    for (int32_t i = 0; i < op->depth; ++i) {
        const int32_t raw = smg_high_mul(scale, op->exps[largest - x[i]]);
        const int32_t quanta = smg_rounding_shift(raw, 12 - zeros + 31 - 16);
        y[i] = (int16_t)(smg_min(quanta, UINT16_MAX) + INT16_MIN);
    }
}

SMG_KERNEL void smg_softmax_s8_s16(const smg_softmax_s8_s16_t *op, const int8_t *x, int16_t *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        smg_softmax_s8_s16_row(op, x + n * op->depth, y + n * op->depth);
    }
}

SMG_KERNEL void smg_softmax_f32(const smg_softmax_f32_t *op, const float *x, float *y) {
    for (int32_t n = 0; n < op->rows; ++n, x += op->depth, y += op->depth) {
        float largest = x[0];
        for (int32_t i = 1; i < op->depth; ++i) {
            largest = x[i] > largest ? x[i] : largest;
        }
        float sum = 0.0f;
        for (int32_t i = 0; i < op->depth; ++i) {
            y[i] = smg_expf((x[i] - largest) * op->beta);
            sum += y[i];
        }
        for (int32_t i = 0; i < op->depth; ++i) {
            y[i] /= sum;
        }
    }
}

#endif
