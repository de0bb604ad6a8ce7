/* smg_copy: a tensor copied as it is, out of a state or into it.
 *
 * Exact: bytes are copied. Scratch: none. Source and destination may overlap, and may be the same.
 * No alignment is needed.
 */
#ifndef SMG_COPY_H
#define SMG_COPY_H

#include "smg.h"

typedef struct {
    int32_t bytes;
} smg_copy_t;

SMG_KERNEL void smg_copy(const smg_copy_t *op, const void *x, void *y) {
    memmove(y, x, (size_t)op->bytes);
}

#endif
