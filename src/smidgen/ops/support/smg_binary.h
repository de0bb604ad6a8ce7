/* smg_binary.h: how kernels of two operands go through them, with broadcasting.
 *
 * The output is written row by row. Within a row an operand moves on by its step: 1, or 0 where it
 * is repeated. From row to row an odometer of `rank` axes (the last one the fastest) moves it on by
 * its strides. Equal shapes are one row. y may be an operand that is as large as y is.
 */
#ifndef SMG_BINARY_H
#define SMG_BINARY_H

#include "smg.h"

enum { SMG_WALK_RANK = 7 };

typedef struct {
    int32_t rows, row, a_step, b_step, rank;
    const SMG_ROM int32_t *extents, *a_strides, *b_strides;
} smg_walk_t;

/* Where the present row begins in each operand, and the odometer. */
typedef struct {
    int32_t a, b, index[SMG_WALK_RANK];
} smg_operands_t;

SMG_INLINE void smg_next_row(const smg_walk_t *walk, smg_operands_t *at) {
    for (int32_t axis = walk->rank - 1; axis >= 0; --axis) {
        at->a += walk->a_strides[axis];
        at->b += walk->b_strides[axis];
        if (++at->index[axis] < walk->extents[axis]) {
            return;
        }
        at->index[axis] = 0;
        at->a -= walk->a_strides[axis] * walk->extents[axis];
        at->b -= walk->b_strides[axis] * walk->extents[axis];
    }
}

/* Defines the kernel `name` from `name##_one`, which gives one element of the output. */
#define SMG_BINARY_KERNEL(name, params_t, a_t, b_t, y_t)                                           \
    SMG_KERNEL void name(const params_t *op, const a_t *a, const b_t *b, y_t *y) {                 \
        const smg_walk_t *const walk = &op->walk;                                                  \
        smg_operands_t at = {0};                                                                   \
        for (int32_t row = 0; row < walk->rows; ++row) {                                           \
            const a_t *left = a + at.a;                                                            \
            const b_t *right = b + at.b;                                                           \
            for (int32_t i = 0; i < walk->row; ++i) {                                              \
                *y++ = name##_one(op, *left, *right);                                              \
                left += walk->a_step;                                                              \
                right += walk->b_step;                                                             \
            }                                                                                      \
            smg_next_row(walk, &at);                                                               \
        }                                                                                          \
    }

#endif
