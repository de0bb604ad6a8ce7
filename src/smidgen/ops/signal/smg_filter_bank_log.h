/* smg_filter_bank_log: logarithms of channels.
 *
 * y[c] = saturate(scale * ln(x[c] << bits)), 0 where x[c] << bits <= 1. log2(1 + f) is f and what
 * a table of 128 segments adds to it, in 16 fractional bits.
 *
 * Exact: equals the reference of FilterBankLog bit for bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_FILTER_BANK_LOG_H
#define SMG_FILTER_BANK_LOG_H

#include "smg.h"

typedef struct {
    int32_t channels, scale, correction_bits;
    const SMG_ROM uint16_t *table; /* 129 values */
} smg_filter_bank_log_t;

/* log2 of x > 0 with 16 fractional bits. */
SMG_INLINE uint32_t smg_log2_fixed(const SMG_ROM uint16_t *table, uint32_t x) {
    int32_t whole = 31;
    while (x >> whole == 0) {
        --whole;
    }
    const uint32_t above = x - ((uint32_t)1 << whole);
    const int32_t fraction = (int32_t)(whole < 16 ? above << (16 - whole) : above >> (whole - 16));
    const int32_t segment = fraction >> 9;
    const int32_t low = table[segment];
    const int32_t between = ((table[segment + 1] - low) * (fraction - segment * 512)) >> 16;
    return ((uint32_t)whole << 16) + (uint32_t)(fraction + low + between);
}

SMG_KERNEL void smg_filter_bank_log(const smg_filter_bank_log_t *op, const uint32_t *x,
                                    int16_t *y) {
    const uint32_t half = 32768u;
    for (int32_t c = 0; c < op->channels; ++c) {
        const uint32_t scaled = x[c] << op->correction_bits;
        uint32_t result = 0;
        if (scaled > 1) {
            const uint64_t log2 = smg_log2_fixed(op->table, scaled);
            const uint32_t natural = (uint32_t)((45426u * log2 + half) >> 16);
            result = ((uint32_t)op->scale * natural + half) >> 16;
        }
        y[c] = (int16_t)(result < INT16_MAX ? result : INT16_MAX);
    }
}

#endif
