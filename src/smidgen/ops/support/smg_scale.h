/* smg_scale: from sums of products to int8 outputs, as ops/support/columns.py packs the constants.
 *
 * scale > 0: words (w0, w1), u = scale * sum + w0, y = (((u * w1) >> 32) + addend) >> 16
 * scale = 0: words (w0, w1, w2), h = high_mul(sum + w0, w1), y = ((h - (h < 0)) * w2 + addend) >>
 * 16 scale < 0: words (w0, w1, w2), y = requantize(sum + w0, mantissa w1, shift w2) + (addend >>
 * 16) saturated, and clamped. Exact: equals the reference's requantisation for every sum that the
 * layer can reach (ops/support/line.py). Compilers shift negative numbers arithmetically.
 */
#ifndef SMG_SCALE_H
#define SMG_SCALE_H

#include "smg.h"
#include "smg_rolled.h"

typedef struct {
    int32_t scale, addend, low, high;
} smg_scale_t;

/* The words of one output take this many places. */
SMG_INLINE int32_t smg_scale_words(const smg_scale_t *op) {
    return op->scale > 0 ? 2 : 3;
}

/* (a * b) >> 32 for b >= 0. */
SMG_INLINE int32_t smg_high_product(int32_t a, int32_t b) {
#if defined(__thumb__) && !defined(__thumb2__)
    /* No long multiplication: in halves, of which every sum fits in 32 bits. */
    const int32_t a1 = a >> 16, b1 = b >> 16;
    const uint32_t a0 = (uint32_t)a & 0xffffu, b0 = (uint32_t)b & 0xffffu;
    const int32_t middle = a1 * (int32_t)b0 + (int32_t)((a0 * b0) >> 16);
    const int32_t other = (int32_t)(a0 * (uint32_t)b1) + (middle & 0xffff);
    return a1 * b1 + (middle >> 16) + (other >> 16);
#else
    return (int32_t)(((int64_t)a * b) >> 32);
#endif
}

/* x >> 16, saturated to int8. */
SMG_INLINE int8_t smg_high_half_s8(int32_t x) {
#if defined(__thumb2__)
    int32_t y;
    __asm__("ssat %0, #8, %1, asr #16" : "=r"(y) : "r"(x));
    return (int8_t)y;
#else
    const int32_t y = x >> 16;
    return (int8_t)(y == (int8_t)y ? y : (y >> 31) ^ 127);
#endif
}

SMG_INLINE int8_t smg_scale_line(const smg_scale_t *op, int32_t w0, int32_t w1, int32_t sum) {
    const int32_t u = (int32_t)((uint32_t)sum * (uint32_t)op->scale + (uint32_t)w0);
    return smg_high_half_s8(smg_high_product(u, w1) + op->addend);
}

SMG_INLINE int8_t smg_scale_steps(const smg_scale_t *op, const int32_t w[3], int32_t sum) {
    if (op->scale < 0) {
        const int32_t x = smg_requantize((int32_t)((uint32_t)sum + (uint32_t)w[0]), w[1], w[2]);
        return (int8_t)smg_clamp(smg_clamp(x, -512, 511) + (op->addend >> 16), -128, 127);
    }
    const int32_t h = smg_high_mul((int32_t)((uint32_t)sum + (uint32_t)w[0]), w[1]);
    return smg_high_half_s8((h + (h >> 31)) * w[2] + op->addend);
}

/* Any scaling, one output at a time. */
SMG_INLINE int8_t smg_scale(const smg_scale_t *op, const int32_t *words, int32_t sum) {
    const int32_t y = op->scale > 0 ? smg_scale_line(op, words[0], words[1], sum)
                                    : smg_scale_steps(op, words, sum);
    return (int8_t)smg_clamp(y, op->low, op->high);
}

/* What saturation does not do: the clamp of an activation to less than int8. */
SMG_INLINE void smg_scale_clamp(const smg_scale_t *op, int8_t *y, int32_t count) {
    if (op->low > -128 || op->high < 127) {
        SMG_ROLLED
        for (int32_t i = 0; i < count; ++i) {
            y[i] = (int8_t)smg_clamp(y[i], op->low, op->high);
        }
    }
}

#endif
