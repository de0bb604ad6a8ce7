/* smg_lookup_s16: any function of one int16 element, by a table of 513 values that are 128 apart.
 *
 * y[i] = clamp(t[k] + ((t[k + 1] - t[k]) * (x[i] mod 128) + 64) / 128), k = (x[i] + 32768) / 128,
 * both divisions rounding down. Exact: equals the reference's interpolation. Scratch: none. y may
 * be x.
 */
#ifndef SMG_LOOKUP_S16_H
#define SMG_LOOKUP_S16_H

#include "smg.h"

typedef struct {
    int32_t count;
    const SMG_ROM int16_t *table;
} smg_lookup_s16_t;

SMG_KERNEL void smg_lookup_s16(const smg_lookup_s16_t *op, const int16_t *x, int16_t *y) {
    for (int32_t i = 0; i < op->count; ++i) {
        const int32_t place = x[i] + 32768;
        const SMG_ROM int16_t *const base = op->table + (place >> 7);
        const int32_t rise = ((int32_t)base[1] - base[0]) * (place & 127) + 64;
        const int32_t step = rise >= 0 ? rise >> 7 : -((127 - rise) >> 7);
        y[i] = (int16_t)(base[0] + step);
    }
}

#endif
