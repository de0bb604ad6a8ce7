/* smg_quanta.h: quanta of 4, 8 or 16 bits behind one interface, and their products.
 *
 * `bits` is a constant wherever these are called, so that only one branch is left in the code.
 * Four-bit quanta lie two to a byte, the first in the low nibble.
 */
#ifndef SMG_QUANTA_H
#define SMG_QUANTA_H

#include "smg.h"

#if SMG_HARVARD
#include "smg_rom.h"

SMG_INLINE int32_t smg_nibble(uint8_t byte, int32_t index) {
    const int32_t nibble = (byte >> ((index & 1) * 4)) & 15;
    return nibble - ((nibble & 8) << 1);
}

SMG_INLINE int32_t smg_load_rom(const SMG_ROM void *quanta, int32_t bits, int32_t index) {
    if (bits == 4) {
        return smg_nibble(((const SMG_ROM uint8_t *)quanta)[index >> 1], index);
    }
    return bits == 8 ? ((const SMG_ROM int8_t *)quanta)[index]
                     : ((const SMG_ROM int16_t *)quanta)[index];
}

SMG_INLINE int32_t smg_load(const void *quanta, int32_t bits, int32_t index) {
    if (smg_is_in_rom(quanta)) {
        return smg_load_rom(smg_in_rom(quanta), bits, index);
    }
    if (bits == 4) {
        return smg_nibble(((const uint8_t *)quanta)[index >> 1], index);
    }
    return bits == 8 ? ((const int8_t *)quanta)[index] : ((const int16_t *)quanta)[index];
}
#else
SMG_INLINE int32_t smg_nibble(const uint8_t *bytes, int32_t index) {
    const int32_t nibble = (bytes[index >> 1] >> ((index & 1) * 4)) & 15;
    return nibble - ((nibble & 8) << 1);
}

SMG_INLINE int32_t smg_load(const void *quanta, int32_t bits, int32_t index) {
    if (bits == 4) {
        return smg_nibble((const uint8_t *)quanta, index);
    }
    return bits == 8 ? ((const int8_t *)quanta)[index] : ((const int16_t *)quanta)[index];
}
#endif /* SMG_HARVARD */

SMG_INLINE void smg_store(void *quanta, int32_t bits, int32_t index, int32_t value) {
    if (bits == 8) {
        ((int8_t *)quanta)[index] = (int8_t)value;
    } else {
        ((int16_t *)quanta)[index] = (int16_t)value;
    }
}

/* Where a run of quanta starts, how wide they are, and what to take off each. */
typedef struct {
    const void *quanta;
    int32_t bits, index, zero_point;
} smg_run_t;

SMG_INLINE int32_t smg_value(const smg_run_t *run, int32_t offset) {
    return smg_load(run->quanta, run->bits, run->index + offset) - run->zero_point;
}

/* sum_i a[i * a_step] * b[i * b_step], exact; products of 8 bits are summed in 32 bits. */
SMG_INLINE int64_t smg_dot_steps(smg_run_t a, int32_t a_step, smg_run_t b, int32_t b_step,
                                 int32_t count) {
    if (a.bits == 16) {
        int64_t sum = 0;
        for (int32_t i = 0; i < count; ++i) {
            sum += (int64_t)smg_value(&a, i * a_step) * smg_value(&b, i * b_step);
        }
        return sum;
    }
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += smg_value(&a, i * a_step) * smg_value(&b, i * b_step);
    }
    return sum;
}

SMG_INLINE int64_t smg_dot_runs(smg_run_t a, smg_run_t b, int32_t count) {
    return smg_dot_steps(a, 1, b, 1, count);
}

#endif
