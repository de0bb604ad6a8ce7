/* smg_softmax_table_s8: smg_softmax_s8 with the exp of every difference in a table, for many
 * classes.
 *
 * `exps` holds the exps, Q0.31, of the differences 0, -1, -2, ... to a row's maximum; those that it
 * does not reach are 0. Exact: equals the reference of Softmax. Scratch: none. y may be x, or lie
 * before it.
 */
#ifndef SMG_SOFTMAX_TABLE_S8_H
#define SMG_SOFTMAX_TABLE_S8_H

#include "smg_softmax_s8.h"

typedef struct {
    int32_t rows, depth, entries;
    const SMG_ROM int32_t *exps;
} smg_softmax_table_s8_t;

SMG_INLINE int32_t smg_softmax_table_s8_exp(const smg_softmax_table_s8_t *op, int32_t below) {
    return below < op->entries ? op->exps[below] : 0;
}

SMG_INLINE void smg_softmax_table_s8_row(const smg_softmax_table_s8_t *op, const int8_t *x,
                                         int8_t *y) {
    const int32_t largest = smg_softmax_s8_largest(x, op->depth);
    int32_t sum = 0; /* Q12.19 */
    SMG_ROLLED
    for (int32_t i = 0; i < op->depth; ++i) {
        const int32_t exp = smg_softmax_table_s8_exp(op, largest - x[i]);
        sum += (exp >> 12) + ((exp >> 11) & 1); /* rounded; exp + 2^11 might not fit */
    }
    const smg_softmax_s8_share_t share = smg_softmax_s8_share(sum);
    SMG_ROLLED
    for (int32_t i = 0; i < op->depth; ++i) {
        y[i] = smg_softmax_s8_quantum(share, smg_softmax_table_s8_exp(op, largest - x[i]));
    }
}

SMG_KERNEL void smg_softmax_table_s8(const smg_softmax_table_s8_t *op, const int8_t *x, int8_t *y) {
    SMG_ROLLED
    for (int32_t n = 0; n < op->rows; ++n) {
        smg_softmax_table_s8_row(op, x + n * op->depth, y + n * op->depth);
    }
}

#endif
