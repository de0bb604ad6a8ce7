/* smg_filter_bank_sqrt: square roots of 64-bit energies, shifted down.
 *
 * y[c] = round(sqrt(x[c])) >> bits; roots of numbers below 2^32 stop at 65535.
 *
 * Exact: equals the reference of FilterBankSquareRoot bit for bit. Scratch: none. x and y are
 * disjoint.
 */
#ifndef SMG_FILTER_BANK_SQRT_H
#define SMG_FILTER_BANK_SQRT_H

#include "smg.h"

typedef struct {
    int32_t channels;
} smg_filter_bank_sqrt_t;

/* Bit by bit from the top: `rest` is x less the square of the root so far. */
SMG_INLINE uint32_t smg_rounded_root(uint64_t x) {
    const uint64_t limit = x >> 32 == 0 ? 0xFFFFu : 0xFFFFFFFFu;
    uint64_t rest = x;
    uint64_t root = 0;
    uint64_t bit = (uint64_t)1 << 62;
    while (bit > x) {
        bit >>= 2;
    }
    for (; bit != 0; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)(rest > root && root != limit ? root + 1 : root);
}

SMG_KERNEL void smg_filter_bank_sqrt(const smg_filter_bank_sqrt_t *op, const uint64_t *x,
                                     const int32_t *bits, uint32_t *y) {
    for (int32_t c = 0; c < op->channels; ++c) {
        y[c] = smg_rounded_root(x[c]) >> (*bits & 31);
    }
}

#endif
