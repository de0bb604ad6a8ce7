/* smg_real.h: float layers: weights that are float32, or quanta of 4 or 8 bits with a scale; the
 * end of a layer: scale, bias, clamp.
 *
 * Sums are float32 in the order of the loops, compiled without contraction, so that all cores
 * agree. Within 1e-5 of the largest output of the reference, which computes in float64.
 */
#ifndef SMG_REAL_H
#define SMG_REAL_H

#include "smg_quanta.h"

typedef struct {
    float low, high;
    int32_t per_channel; /* 0: one scale for all outputs, 1: one each */
    int32_t weight_zero_point;
    const SMG_ROM float *scales; /* of quantised weights; NULL for float ones */
    const SMG_ROM float *bias;   /* NULL: none */
} smg_real_t;

SMG_INLINE float smg_weight(const smg_real_t *op, const void *weights, int32_t bits,
                            int32_t index) {
#if SMG_HARVARD
    if (bits == 32 && smg_is_in_rom(weights)) {
        return ((const SMG_ROM float *)smg_in_rom(weights))[index];
    }
#endif /* SMG_HARVARD */
    if (bits == 32) {
        return ((const float *)weights)[index];
    }
    return (float)(smg_load(weights, bits, index) - op->weight_zero_point);
}

/* sum + the products of `count` neighbouring values with every `stride`-th weight. */
SMG_INLINE float smg_dot_real(const smg_real_t *op, float sum, const float *x, const void *weights,
                              int32_t bits, int32_t index, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
        sum += x[i] * smg_weight(op, weights, bits, index + i);
    }
    return sum;
}

SMG_INLINE float smg_finish_real(const smg_real_t *op, float sum, int32_t channel) {
    if (op->scales != SMG_ROM_NULL) {
        sum *= op->scales[channel * op->per_channel];
    }
    if (op->bias != SMG_ROM_NULL) {
        sum += op->bias[channel];
    }
    sum = sum < op->low ? op->low : sum;
    return sum > op->high ? op->high : sum;
}

#endif
