/* smg_select: a where the condition holds, else b, with broadcasting.
 *
 * `axes` holds, for each of four axes, outermost first, the count and the steps of condition, a and
 * b in elements of `width` bytes; a step of 0 repeats. Exact: equals the reference of Select.
 * Scratch: none. y may be an a or b of its own shape, or lie below it.
 */
#ifndef SMG_SELECT_H
#define SMG_SELECT_H

#include "smg.h"

typedef struct {
    int32_t width;
    const SMG_ROM int32_t *axes;
} smg_select_t;

/* The innermost axis. */
SMG_INLINE void smg_select_row(const smg_select_t *op, const bool *condition, const uint8_t *a,
                               const uint8_t *b, uint8_t *y) {
    const SMG_ROM int32_t *axis = op->axes + 12;
    for (int32_t i = 0; i < axis[0]; ++i) {
        const uint8_t *chosen =
            condition[i * axis[1]] ? a + i * axis[2] * op->width : b + i * axis[3] * op->width;
        for (int32_t byte = 0; byte < op->width; ++byte) {
            *y++ = chosen[byte];
        }
    }
}

SMG_KERNEL void smg_select(const smg_select_t *op, const bool *condition, const void *a,
                           const void *b, void *y) {
    const SMG_ROM int32_t *n = op->axes;
    const int32_t row_bytes = n[12] * op->width;
    const uint8_t *from_a = a, *from_b = b;
    uint8_t *to = y;
    for (int32_t i = 0; i < n[0]; ++i) {
        for (int32_t j = 0; j < n[4]; ++j) {
            for (int32_t k = 0; k < n[8]; ++k) {
                const int32_t at = i * n[1] + j * n[5] + k * n[9];
                const int32_t at_a = (i * n[2] + j * n[6] + k * n[10]) * op->width;
                const int32_t at_b = (i * n[3] + j * n[7] + k * n[11]) * op->width;
                smg_select_row(op, condition + at, from_a + at_a, from_b + at_b, to);
                to += row_bytes;
            }
        }
    }
}

#endif
