/* smg_dense_s8_neon: fully connected layer on one row of int8, for AArch64 cores with Advanced SIMD
 * (NEON).
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in. Exact: equals the reference of Dense bit for bit.
 * Scratch: none. x and y are disjoint. Reads nothing behind x.
 */
#ifndef SMG_DENSE_S8_NEON_H
#define SMG_DENSE_S8_NEON_H

#include "smg_dot_s8_neon.h"

typedef struct {
    int32_t depth;
    smg_dot_s8_neon_t dot;
} smg_dense_s8_neon_t;

SMG_INLINE void smg_dense_s8_neon_layer(const smg_dense_s8_neon_t *op, const int8_t *x, int8_t *y,
                                        bool up) {
    if (op->dot.full_range != 0) {
        smg_dot_4x1_s8_neon(&op->dot, x, y, op->depth, true, up);
    } else {
        smg_dot_4x1_s8_neon(&op->dot, x, y, op->depth, false, up);
    }
}

SMG_KERNEL void smg_dense_s8_neon(const smg_dense_s8_neon_t *op, const int8_t *x, int8_t *y) {
    smg_dense_s8_neon_layer(op, x, y, false);
}

SMG_KERNEL void smg_dense_s8_neon_up(const smg_dense_s8_neon_t *op, const int8_t *x, int8_t *y) {
    smg_dense_s8_neon_layer(op, x, y, true);
}

#endif
