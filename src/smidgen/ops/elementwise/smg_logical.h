/* smg_logical: a and b, a or b, not x, on bool; the first two with broadcasting.
 *
 * Exact: equals the references of LogicalAnd, LogicalOr and LogicalNot. Scratch: none. y may be an
 * operand that is as large as y is.
 */
#ifndef SMG_LOGICAL_H
#define SMG_LOGICAL_H

#include "smg_binary.h"

typedef struct {
    smg_walk_t walk;
} smg_logical_t;

typedef struct {
    int32_t count;
} smg_logical_not_t;

SMG_INLINE bool smg_logical_and_bool_one(const smg_logical_t *op, bool a, bool b) {
    (void)op;
    return a && b;
}

SMG_INLINE bool smg_logical_or_bool_one(const smg_logical_t *op, bool a, bool b) {
    (void)op;
    return a || b;
}

SMG_BINARY_KERNEL(smg_logical_and_bool, smg_logical_t, bool, bool, bool)
SMG_BINARY_KERNEL(smg_logical_or_bool, smg_logical_t, bool, bool, bool)

SMG_KERNEL void smg_logical_not(const smg_logical_not_t *op, const bool *x, bool *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = !x[i];
    }
}

#endif
