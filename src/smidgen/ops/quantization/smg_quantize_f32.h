/* smg_quantize_f32: float32 to quanta of 8, 16 or 32 bits, and quanta to float32.
 *
 * y = clamp(round(x / scale) + zp), halves away from zero, NaN as zero; and y = scale * (x - zp).
 * Exact: equals the references of Quantize and Dequantize bit for bit. Scratch: none. x and y may
 * share bytes where the walk forwards allows it and one of them is 8 bits wide.
 */
#ifndef SMG_QUANTIZE_F32_H
#define SMG_QUANTIZE_F32_H

#include "smg_math.h"

typedef struct {
    int32_t count, zero_point, low, high;
    float scale;
} smg_quantize_f32_t;

typedef struct {
    int32_t count, zero_point;
    float scale;
} smg_dequantize_t;

/* The quantum of x before the clamp; beyond +-2^30 it does not matter where. */
SMG_INLINE int32_t smg_quantum(const smg_quantize_f32_t *op, float x) {
    const float nearest = smg_round_awayf(x / op->scale);
    if (!(nearest >= -2147483648.0f)) {
        return nearest < 0.0f ? op->low : smg_clamp(op->zero_point, op->low, op->high);
    }
    if (nearest >= 2147483648.0f) {
        return op->high;
    }
    const int64_t quantum = (int64_t)(int32_t)nearest + op->zero_point;
    return quantum < op->low ? op->low : (quantum > op->high ? op->high : (int32_t)quantum);
}

#define SMG_QUANTIZE_F32(suffix, type)                                                             \
    SMG_KERNEL void smg_quantize_f32_##suffix(const smg_quantize_f32_t *op, const float *x,        \
                                              type *y) {                                           \
        for (int32_t i = 0; i < op->count; ++i) {                                                  \
            y[i] = (type)smg_quantum(op, x[i]);                                                    \
        }                                                                                          \
    }                                                                                              \
    SMG_KERNEL void smg_dequantize_##suffix(const smg_dequantize_t *op, const type *x, float *y) { \
        for (int32_t i = 0; i < op->count; ++i) {                                                  \
            y[i] = op->scale * (float)((int64_t)x[i] - op->zero_point);                            \
        }                                                                                          \
    }

SMG_QUANTIZE_F32(s8, int8_t)
SMG_QUANTIZE_F32(u8, uint8_t)
SMG_QUANTIZE_F32(s16, int16_t)
SMG_QUANTIZE_F32(s32, int32_t)

#endif
