/* smg_log_softmax: x - ln(sum of e^x) over rows of int8 or float32.
 *
 * int8: exp of each difference from a table (Q12.19), the logarithm by a rational function in fixed
 * point; output scale 1/16 from 127. float32: sums from left to right.
 * Exact: equals the reference of LogSoftmax bit for bit. Scratch: none. y may be x.
 */
#ifndef SMG_LOG_SOFTMAX_H
#define SMG_LOG_SOFTMAX_H

#include "smg_math.h"
#include "smg_reciprocal.h"

typedef struct {
    int32_t rows, depth;
    int32_t mantissa, shift, reverse_mantissa, reverse_shift, smallest_difference;
    const SMG_ROM int32_t *summands; /* of the differences 0, -1 ... -255; 0 where too small */
} smg_log_softmax_s8_t;

typedef struct {
    int32_t rows, depth;
} smg_log_softmax_f32_t;

/* x = 2^power * r with r near 2^(-1/4): r as Q0.31, the power as Q6.25; x > 0 is Q12.19. */
SMG_INLINE int32_t smg_reduce_logarithm(int32_t x, int32_t *power) {
    const int32_t zeros = smg_leading_zeros((uint32_t)x);
    const int32_t normal = smg_saturating_shift(x, zeros - 1);
    const int32_t r_a = smg_saturating_shift(smg_high_mul(normal, 1518500250), 1);
    const int32_t power_a = (12 - zeros) * (INT32_C(1) << 25) + (INT32_C(1) << 23);
    const int32_t headroom = smg_leading_zeros((uint32_t)smg_high_mul(x, 1518500250)) - 1;
    const int32_t r_b = smg_saturating_shift(x, headroom);
    const int32_t power_b = (12 - headroom) * (INT32_C(1) << 25) - (INT32_C(1) << 23);
    *power = smg_max(power_a, power_b);
    return smg_min(r_a, r_b);
}

/* ln of a Q12.19 number that is at least 1, as Q5.26. */
SMG_INLINE int32_t smg_log_of_sum(int32_t x) {
    int32_t power;
    const int32_t r = smg_reduce_logarithm(x, &power);
    const int32_t p = (int32_t)(((int64_t)r + 1805811301 + 1) >> 1);
    const int32_t q = 2 * (r - 1805811301);
    const int32_t square = smg_high_mul(q, q);
    const int32_t numerator = smg_high_mul(q, r) + smg_high_mul(smg_high_mul(q, square), 117049297);
    const int32_t inner = 1057819769 + q + smg_high_mul(square, 127690142);
    const int32_t denominator = smg_high_mul(p, inner) + smg_high_mul(q, 638450708);
    const int32_t fraction =
        smg_high_mul(smg_rounding_shift(numerator, 6), smg_one_over_one_plus_q31(denominator));
    return smg_saturating_shift(smg_high_mul(power, 1488522236) + fraction, 1);
}

SMG_INLINE int32_t smg_log_softmax_s8_one(const smg_log_softmax_s8_t *op, int32_t difference,
                                          int32_t log_sum) {
    const int32_t scaled = smg_requantize(difference, op->mantissa, op->shift);
    return smg_clamp(smg_rounding_shift(scaled - log_sum, 22) + 127, INT8_MIN, INT8_MAX);
}

SMG_INLINE void smg_log_softmax_s8_row(const smg_log_softmax_s8_t *op, const int8_t *x, int8_t *y) {
    int32_t largest = INT8_MIN;
    for (int32_t i = 0; i < op->depth; ++i) {
        largest = smg_max(largest, x[i]);
    }
    int32_t sum = 0;
    for (int32_t i = 0; i < op->depth; ++i) {
        sum += op->summands[largest - x[i]];
    }
    const int32_t log_sum = smg_log_of_sum(sum);
    const int32_t reach =
        smg_requantize(log_sum + INT32_MIN, op->reverse_mantissa, op->reverse_shift);
    const int32_t least = smg_max(op->smallest_difference - 1, reach);
    for (int32_t i = 0; i < op->depth; ++i) {
        const int32_t difference = x[i] - largest;
        y[i] = (int8_t)(difference > least ? smg_log_softmax_s8_one(op, difference, log_sum)
                                           : INT8_MIN);
    }
}

SMG_KERNEL void smg_log_softmax_s8(const smg_log_softmax_s8_t *op, const int8_t *x, int8_t *y) {
    for (int32_t n = 0; n < op->rows; ++n) {
        smg_log_softmax_s8_row(op, x + n * op->depth, y + n * op->depth);
    }
}

SMG_KERNEL void smg_log_softmax_f32(const smg_log_softmax_f32_t *op, const float *x, float *y) {
    for (int32_t n = 0; n < op->rows; ++n, x += op->depth, y += op->depth) {
        float largest = x[0];
        for (int32_t i = 1; i < op->depth; ++i) {
            largest = x[i] > largest ? x[i] : largest;
        }
        float sum = 0.0f;
        for (int32_t i = 0; i < op->depth; ++i) {
            sum += smg_expf(x[i] - largest);
        }
        const float log_sum = smg_logf(sum);
        for (int32_t i = 0; i < op->depth; ++i) {
            y[i] = (x[i] - largest) - log_sum;
        }
    }
}

#endif
