/* smg_lookup: any function of one 8-bit element, by a table of its 256 values.
 *
 * y[i] = table[x[i] as an unsigned byte]; the table holds what the reference gives.
 * Exact. Scratch: none. y may be x.
 */
#ifndef SMG_LOOKUP_H
#define SMG_LOOKUP_H

#include "smg.h"

typedef struct {
    int32_t count;
    const SMG_ROM uint8_t *table;
} smg_lookup_t;

SMG_KERNEL void smg_lookup(const smg_lookup_t *op, const void *x, void *y) {
    const uint8_t *const from = (const uint8_t *)x;
    uint8_t *const to = (uint8_t *)y;
    for (int32_t i = 0; i < op->count; ++i) {
        to[i] = op->table[from[i]];
    }
}

#endif
