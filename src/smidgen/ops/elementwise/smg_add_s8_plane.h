/* smg_add_s8_plane: elementwise sum of int8 tensors of one shape, or with one operand repeated.
 *
 * y = clamp((a_slope * a + b_slope * b + intercept) >> shift), for quanta a and b as they are.
 * b has `period` elements and is walked again and again (period = count for equal shapes).
 * Exact: equals the reference of Add for all 65536 pairs; ops/elementwise/plane.py checks each of
 * them. smg_add_s8_plane saturates to int8, .._clamped to what is given. Scratch: none. Goes
 * element by element, forwards: y may be a or lie before it, and b too if period = count.
 */
#ifndef SMG_ADD_S8_PLANE_H
#define SMG_ADD_S8_PLANE_H

#include "smg_rolled.h"

#include "smg.h"

typedef struct {
    int32_t count, period;
    int32_t a_slope, b_slope, intercept, shift;
    int32_t low, high;
} smg_add_s8_plane_t;

SMG_INLINE void smg_add_s8_plane_rows(const smg_add_s8_plane_t *op, const int8_t *a,
                                      const int8_t *b, int8_t *y, int32_t low, int32_t high) {
    const uint32_t a_slope = (uint32_t)op->a_slope, b_slope = (uint32_t)op->b_slope;
    const uint32_t intercept = (uint32_t)op->intercept;
    const int32_t shift = op->shift, period = op->period;
    const int8_t *const end = a + op->count;
    SMG_ROLLED
    while (a != end) {
        const int8_t *other = b;
        SMG_ROLLED
        for (int32_t i = period; i > 0; --i) {
            const uint32_t left = (uint32_t)*a++, right = (uint32_t)*other++;
            const uint32_t sum = a_slope * left + intercept + b_slope * right;
            *y++ = (int8_t)smg_clamp((int32_t)sum >> shift, low, high);
        }
    }
}

SMG_KERNEL void smg_add_s8_plane(const smg_add_s8_plane_t *op, const int8_t *a, const int8_t *b,
                                 int8_t *y) {
    smg_add_s8_plane_rows(op, a, b, y, -128, 127);
}

SMG_KERNEL void smg_add_s8_plane_clamped(const smg_add_s8_plane_t *op, const int8_t *a,
                                         const int8_t *b, int8_t *y) {
    smg_add_s8_plane_rows(op, a, b, y, op->low, op->high);
}

#endif
