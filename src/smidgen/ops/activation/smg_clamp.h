/* smg_clamp: max(low, min(x, high)) where input and output have one scale.
 *
 * Exact: equals the reference of Clamp. Scratch: none. y may be x.
 */
#ifndef SMG_CLAMP_H
#define SMG_CLAMP_H

#include "smg.h"

typedef struct {
    int32_t count, low, high;
} smg_clamp_t;

typedef struct {
    int32_t count;
    float low, high;
} smg_clamp_f32_t;

SMG_KERNEL void smg_clamp_s8(const smg_clamp_t *op, const int8_t *x, int8_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = (int8_t)smg_clamp(x[i], op->low, op->high);
    }
}

SMG_KERNEL void smg_clamp_s16(const smg_clamp_t *op, const int16_t *x, int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = (int16_t)smg_clamp(x[i], op->low, op->high);
    }
}

SMG_KERNEL void smg_clamp_f32(const smg_clamp_f32_t *op, const float *x, float *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = x[i] < op->low ? op->low : (x[i] > op->high ? op->high : x[i]);
    }
}

#endif
