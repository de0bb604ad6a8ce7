/* smg_inverse_root.h: 1 / sqrt(x) of a positive integer in fixed point, for several kernels. */
#ifndef SMG_INVERSE_ROOT_H
#define SMG_INVERSE_ROOT_H

#include "smg_reciprocal.h"

/* 1 / sqrt of a Q3.28 number in [1/2, 2): five Newton steps from 1. */
SMG_INLINE int32_t smg_inverse_root_q28(int32_t x) {
    const int32_t half = smg_rounding_shift(x, 1);
    int32_t root = INT32_C(1) << 28;
    for (int32_t step = 0; step < 5; ++step) {
        const int32_t cube = smg_high_mul(smg_high_mul(root, root), root);
        const int32_t error = smg_high_mul(root, (INT32_C(1) << 28) + (INT32_C(1) << 27)) -
                              smg_high_mul(half, smg_saturating_shift(cube, 6));
        root = smg_saturating_shift(error, 3);
    }
    return root;
}

/* Mantissa and shift, as smg_requantize takes them, of 1 / sqrt(x), x >= 0; 0 counts as 1. */
SMG_INLINE int32_t smg_inverse_root(int32_t x, int32_t *shift) {
    *shift = 0;
    if (x <= 1) {
        return INT32_MAX;
    }
    int32_t right = 11;
    if (x >= (INT32_C(1) << 29)) {
        x /= 4;
        ++right;
    }
    const int32_t pairs = (smg_leading_zeros((uint32_t)x) - 1) / 2 - 1;
    right -= pairs;
    const int32_t root = smg_inverse_root_q28((int32_t)(((uint32_t)x << (2 * pairs)) >> 1));
    const int32_t mantissa = smg_high_mul(root, 1518500250); /* times sqrt(1/2) */
    if (right < 0) {
        return (int32_t)((uint32_t)mantissa << -right);
    }
    *shift = -right;
    return mantissa;
}

#endif
