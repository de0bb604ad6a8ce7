/* smg_finish.h: from the accumulator of a layer to its output: bias, requantisation, clamp.
 *
 * Exact: equals smidgen.ops.support.requantize bit for bit. `wide` layers (16-bit activations with
 * 64-bit biases) keep 64-bit accumulators and multiply by 16-bit mantissas, as TensorFlow Lite
 * Micro does; the others wrap at 32 bits.
 */
#ifndef SMG_FINISH_H
#define SMG_FINISH_H

#include "smg.h"

typedef struct {
    int32_t per_channel; /* 0: one mantissa and shift for all outputs, 1: one each */
    int32_t zero_point, low, high;
    const SMG_ROM int32_t *bias;      /* NULL: none */
    const SMG_ROM int64_t *wide_bias; /* NULL: none */
    const SMG_ROM int32_t *mantissas;
    const SMG_ROM int8_t *shifts;
} smg_finish_t;

/* x * mantissa * 2^(shift - 31) with the mantissa rounded to 16 bits, ties upwards. */
SMG_INLINE int32_t smg_requantize_wide(int64_t x, int32_t mantissa, int32_t shift) {
#if SMG_HARVARD
    const int32_t reduced = mantissa < 0x7FFF0000 ? (mantissa + INT32_C(0x8000)) >> 16 : 0x7FFF;
#else
    const int32_t reduced = mantissa < 0x7FFF0000 ? (mantissa + (1 << 15)) >> 16 : 0x7FFF;
#endif /* SMG_HARVARD */
    const int32_t total = 15 - shift;
    return (int32_t)((x * reduced + ((int64_t)1 << (total - 1))) >> total);
}

SMG_INLINE int32_t smg_finish(const smg_finish_t *op, int64_t sum, int32_t channel, bool wide) {
    const int32_t q = channel * op->per_channel;
    int32_t quantum;
    if (wide) {
        sum += op->wide_bias != SMG_ROM_NULL ? op->wide_bias[channel] : 0;
        quantum = smg_requantize_wide(sum, op->mantissas[q], op->shifts[q]);
    } else {
        sum += op->bias != SMG_ROM_NULL ? op->bias[channel] : 0;
        quantum = smg_requantize((int32_t)(uint32_t)sum, op->mantissas[q], op->shifts[q]);
    }
    return smg_clamp(quantum + op->zero_point, op->low, op->high);
}

#endif
