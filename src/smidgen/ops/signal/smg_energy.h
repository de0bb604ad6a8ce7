/* smg_energy: the energy of the bins of an int16 spectrum.
 *
 * y[k] = re[k]^2 + im[k]^2 for start <= k < end, else 0
 *
 * Exact: equals the reference of Energy bit for bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_ENERGY_H
#define SMG_ENERGY_H

#include "smg.h"

typedef struct {
    int32_t bins, start, end;
} smg_energy_t;

SMG_KERNEL void smg_energy(const smg_energy_t *op, const int16_t *x, uint32_t *y) {
    memset(y, 0, (size_t)op->bins * sizeof *y);
    for (int32_t k = op->start; k < op->end; ++k) {
        const int32_t real = x[2 * k];
        const int32_t imaginary = x[2 * k + 1];
        y[k] = (uint32_t)(real * real) + (uint32_t)(imaginary * imaginary);
    }
}

#endif
