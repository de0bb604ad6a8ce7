/* smg_filter_bank: triangular filters over a spectrum of energies.
 *
 * y[c] = sum over the bins of channel c of weight * x + sum over those of channel c - 1 of
 * unweight * x, modulo 2^64; the first of channels + 1 sets of bins only gives to the next.
 *
 * Exact: equals the reference of FilterBank bit for bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_FILTER_BANK_H
#define SMG_FILTER_BANK_H

#include "smg.h"

typedef struct {
    int32_t channels;
} smg_filter_bank_t;

SMG_INLINE uint64_t smg_weighted_energy(const uint32_t *x, const int16_t *weights, int32_t count) {
    uint64_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += (uint64_t)(int64_t)weights[i] * x[i];
    }
    return sum;
}

SMG_KERNEL void smg_filter_bank(const smg_filter_bank_t *op, const uint32_t *x,
                                const int16_t *weights, const int16_t *unweights,
                                const int16_t *bins, const int16_t *starts, const int16_t *widths,
                                uint64_t *y) {
    uint64_t carried = 0;
    for (int32_t c = 0; c <= op->channels; ++c) {
        const uint32_t *from = x + bins[c];
        if (c > 0) {
            y[c - 1] = carried + smg_weighted_energy(from, weights + starts[c], widths[c]);
        }
        carried = smg_weighted_energy(from, unweights + starts[c], widths[c]);
    }
}

#endif
