/* smg_concat, smg_split: byte blocks joined in turn, or dealt out in turn.
 *
 * For each of `outer` rounds, part p gives (or gets) its next bytes[p] bytes. Serves Concat, Pack,
 * Split and Unpack of every element type. Exact: bytes are copied. Scratch: none. Aliasing: a part
 * that is joined may lie where it is joined to, or above; it is not copied where outer = 1 and it
 * is in its place. What is split is disjoint from its parts. No alignment is needed.
 */
#ifndef SMG_JOIN_H
#define SMG_JOIN_H

#include "smg.h"

typedef struct {
    int32_t outer, parts;
    const SMG_ROM int32_t *bytes;
} smg_join_t;

/* smg_concat(op, whole, part...) and smg_split(op, whole, part...). */
#define smg_concat(op, whole, ...) smg_concat_parts(op, whole, (const void *const[]){__VA_ARGS__})
#define smg_split(op, whole, ...) smg_split_parts(op, whole, (void *const[]){__VA_ARGS__})

SMG_KERNEL void smg_concat_parts(const smg_join_t *op, void *whole, const void *const *part) {
    uint8_t *to = whole;
    for (int32_t round = 0; round < op->outer; ++round) {
        for (int32_t p = 0; p < op->parts; ++p) {
            const uint8_t *from = (const uint8_t *)part[p] + round * op->bytes[p];
            if (from != to) {
                memmove(to, from, (size_t)op->bytes[p]);
            }
            to += op->bytes[p];
        }
    }
}

SMG_KERNEL void smg_split_parts(const smg_join_t *op, const void *whole, void *const *part) {
    const uint8_t *from = whole;
    for (int32_t round = 0; round < op->outer; ++round) {
        for (int32_t p = 0; p < op->parts; ++p) {
            memcpy((uint8_t *)part[p] + round * op->bytes[p], from, (size_t)op->bytes[p]);
            from += op->bytes[p];
        }
    }
}

#endif
