/* smg_sigmoid_s16.h: sigmoid and tanh of 16-bit quanta, interpolated in a table of sigmoid(i / 24).
 *
 * x counts 2^-12 / 3: 3 times a Q3.12 number. Results are Q0.15, equal to those of sigmoid16.py.
 */
#ifndef SMG_SIGMOID_S16_H
#define SMG_SIGMOID_S16_H

#include "smg.h"

SMG_INLINE int32_t smg_sigmoid_s16(const SMG_ROM uint16_t *table, int32_t x) {
    const int32_t size = x < 0 ? -x : x;
    const int32_t index = size >> 9;
    int32_t result = INT32_C(0x7FFF) << 10;
    if (index < 255) {
        const int32_t low = table[index];
        result = (low << 9) + (size & 0x1FF) * (table[index + 1] - low);
    }
    return (x >= 0 ? result + (1 << 9) : (INT32_C(1) << 25) - result + (1 << 9) - 1) >> 10;
}

SMG_INLINE int32_t smg_tanh_s16(const SMG_ROM uint16_t *table, int32_t x) {
    const int32_t size = x < 0 ? -x : x;
    const int32_t index = size >> 8;
    int32_t result = INT32_C(0xFFFF) << 8;
    if (index < 255) {
        const int32_t low = table[index];
        result = (low << 8) + (size & 0xFF) * (table[index + 1] - low);
    }
    return (x >= 0 ? result - (INT32_C(1) << 23) + (1 << 7)
                   : (INT32_C(1) << 23) - result + (1 << 7) - 1) >>
           8;
}

#endif
