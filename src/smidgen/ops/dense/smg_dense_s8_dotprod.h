/* smg_dense_s8_dotprod: fully connected layer on one row of int8, for AArch64 cores with the dot
 * products of Advanced SIMD (SDOT).
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in. Exact: equals the reference of Dense bit for bit.
 * Scratch: none. x and y are disjoint. Reads nothing behind x.
 */
#ifndef SMG_DENSE_S8_DOTPROD_H
#define SMG_DENSE_S8_DOTPROD_H

#include "smg_dot_s8_dotprod.h"

typedef struct {
    int32_t depth;
    smg_dot_s8_dotprod_t dot;
} smg_dense_s8_dotprod_t;

SMG_INLINE void smg_dense_s8_dotprod_layer(const smg_dense_s8_dotprod_t *op, const int8_t *x,
                                           int8_t *y, bool up) {
    smg_dot_8x1_s8_dotprod(&op->dot, x, y, op->depth, up);
}

SMG_KERNEL void smg_dense_s8_dotprod(const smg_dense_s8_dotprod_t *op, const int8_t *x, int8_t *y) {
    smg_dense_s8_dotprod_layer(op, x, y, false);
}

SMG_KERNEL void smg_dense_s8_dotprod_up(const smg_dense_s8_dotprod_t *op, const int8_t *x,
                                        int8_t *y) {
    smg_dense_s8_dotprod_layer(op, x, y, true);
}

#endif
