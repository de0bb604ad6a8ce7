/* smg_reciprocal.h: fixed-point reciprocals as gemmlowp computes them, for several kernels. */
#ifndef SMG_RECIPROCAL_H
#define SMG_RECIPROCAL_H

#include "smg.h"

/* The zero bits above the highest one; 32 for x = 0. */
SMG_INLINE int32_t smg_leading_zeros(uint32_t x) {
    int32_t zeros = 32;
    for (int32_t half = 16; half > 0; half /= 2) {
        if ((x >> half) != 0) {
            zeros -= half;
            x >>= half;
        }
    }
    return zeros - (int32_t)x;
}

/* x * 2^n, saturated to int32; 0 <= n <= 30. */
SMG_INLINE int32_t smg_saturating_shift(int32_t x, int32_t n) {
    const int32_t limit = (int32_t)(INT32_MAX >> n);
    if (x > limit) {
        return INT32_MAX;
    }
    return x < -limit ? INT32_MIN : (int32_t)((uint32_t)x << n);
}

/* 1 / (1 + a) for a in [0, 1), Q0.31: three Newton steps from 48/17 - 32/17 x. */
SMG_INLINE int32_t smg_one_over_one_plus_q31(int32_t a) {
    const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + smg_high_mul(half_denominator, -1010580540);
    for (int32_t step = 0; step < 3; ++step) {
        const int32_t error = (INT32_C(1) << 29) - smg_high_mul(half_denominator, x);
        x += smg_saturating_shift(smg_high_mul(x, error), 2);
    }
    return smg_saturating_shift(x, 1);
}

#endif
