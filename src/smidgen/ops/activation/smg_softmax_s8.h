/* smg_softmax_s8: softmax over rows of int8, in fixed point, with output scale 1/256 and zero -128.
 *
 * The arithmetic is gemmlowp's (exp as a polynomial and a product of exp(-2^k); reciprocal by three
 * Newton steps), so that results equal TensorFlow Lite Micro's bit for bit. Qn has n integer bits.
 * Exact: equals the reference of Softmax. Scratch: depth words, aligned to 4. y may be x, or lie
 * before it.
 */
#ifndef SMG_SOFTMAX_S8_H
#define SMG_SOFTMAX_S8_H

#include "smg.h"
#include "smg_rolled.h"

typedef struct {
    int32_t rows, depth;
    int32_t mantissa, left_shift, smallest_difference;
} smg_softmax_s8_t;

/* exp on [-1/4, 0), Q0.31 in and out: a Taylor polynomial about -1/8. */
SMG_INLINE int32_t smg_exp_near_zero(int32_t a) {
    const int32_t exp_of_minus_eighth = 1895147668;
    const int32_t third = 715827883;
    const int32_t x = a + (INT32_C(1) << 28);
    const int32_t x2 = smg_high_mul(x, x);
    const int32_t x3 = smg_high_mul(x2, x);
    const int32_t x4_over_4 = smg_rounding_shift(smg_high_mul(x2, x2), 2);
    const int32_t tail = smg_rounding_shift(smg_high_mul(x4_over_4 + x3, third) + x2, 1);
    return exp_of_minus_eighth + smg_high_mul(x + tail, exp_of_minus_eighth);
}

/* exp of a Q5.26 number <= 0, as Q0.31. */
SMG_INLINE int32_t smg_exp_on_negative(int32_t a) {
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                       39332535,   720401,     242};
    const int32_t quarter = INT32_C(1) << 24;
    const int32_t offset = (a & (quarter - 1)) - quarter;
    const int32_t remainder = offset - a;
    int32_t result = smg_exp_near_zero(offset * 32);
    for (int32_t k = 0; k < 7; ++k) {
        if ((remainder & (quarter << k)) != 0) {
            result = smg_high_mul(result, factors[k]);
        }
    }
    return a == 0 ? INT32_MAX : result;
}

/* x * 4, saturated. */
SMG_INLINE int32_t smg_times_4(int32_t x) {
    return smg_clamp(x, -(INT32_C(1) << 29), (INT32_C(1) << 29) - 1) == x
               ? x * 4
               : (x < 0 ? INT32_MIN : INT32_MAX);
}

/* 1 / (1 + a) for a in [0, 1), Q0.31. */
SMG_INLINE int32_t smg_one_over_one_plus(int32_t a) {
    const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + smg_high_mul(half_denominator, -1010580540);
    SMG_ROLLED
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = (INT32_C(1) << 29) - smg_high_mul(half_denominator, x);
        x += smg_times_4(smg_high_mul(x, error));
    }
    return smg_clamp(x, -(INT32_C(1) << 30), (INT32_C(1) << 30) - 1) == x ? x * 2 : INT32_MAX;
}

/* exp of a difference to the row's maximum, Q0.31. */
SMG_INLINE int32_t smg_softmax_s8_exp(const smg_softmax_s8_t *op, int32_t difference) {
    const int32_t finer = (int32_t)((uint32_t)difference << op->left_shift);
    return smg_exp_on_negative(smg_high_mul(finer, op->mantissa));
}

/* How far a Q12.19 number can be shifted left until its highest bit is set. */
SMG_INLINE int32_t smg_softmax_s8_headroom(int32_t sum) {
    int32_t headroom = 0;
    SMG_ROLLED
    while (((uint32_t)sum << headroom) < 0x80000000u) {
        ++headroom;
    }
    return headroom;
}

SMG_INLINE int32_t smg_softmax_s8_largest(const int8_t *x, int32_t depth) {
    int32_t largest = INT8_MIN;
    SMG_ROLLED
    for (int32_t i = 0; i < depth; ++i) {
        largest = smg_max(largest, x[i]);
    }
    return largest;
}

/* What turns the exps of a row into outputs: 1 / sum, and the shift that brings it to 1/256. */
typedef struct {
    int32_t scale, shift;
} smg_softmax_s8_share_t;

/* For a sum of exps, Q12.19. */
SMG_INLINE smg_softmax_s8_share_t smg_softmax_s8_share(int32_t sum) {
    const int32_t headroom = smg_softmax_s8_headroom(sum);
    const smg_softmax_s8_share_t share = {
        smg_one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u)),
        12 - headroom + 31 - 8};
    return share;
}

/* The output for an exp, Q0.31. */
SMG_INLINE int8_t smg_softmax_s8_quantum(smg_softmax_s8_share_t share, int32_t exp) {
    const int32_t raw = smg_high_mul(share.scale, exp);
    const int32_t quanta =
        share.shift > 31 ? 0 : smg_min(smg_rounding_shift(raw, share.shift), 255);
    return (int8_t)(quanta + INT8_MIN);
}

SMG_INLINE void smg_softmax_s8_row(const smg_softmax_s8_t *op, const int8_t *x, int8_t *y,
                                   int32_t *exps) {
    const int32_t largest = smg_softmax_s8_largest(x, op->depth);
    int32_t sum = 0; /* Q12.19 */
    SMG_ROLLED
    for (int32_t i = 0; i < op->depth; ++i) {
        const int32_t difference = x[i] - largest;
        exps[i] = difference >= op->smallest_difference ? smg_softmax_s8_exp(op, difference) : 0;
        sum += smg_rounding_shift(exps[i], 12);
    }
    const smg_softmax_s8_share_t share = smg_softmax_s8_share(sum);
    SMG_ROLLED
    for (int32_t i = 0; i < op->depth; ++i) {
        y[i] = smg_softmax_s8_quantum(share, exps[i]);
    }
}

SMG_KERNEL void smg_softmax_s8(const smg_softmax_s8_t *op, const int8_t *x, int8_t *y,
                               uint8_t *scratch) {
    int32_t *const exps = (int32_t *)(void *)scratch;
    SMG_ROLLED
    for (int32_t n = 0; n < op->rows; ++n) {
        smg_softmax_s8_row(op, x + n * op->depth, y + n * op->depth, exps);
    }
}

#endif
