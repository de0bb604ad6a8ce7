/* smg_cast: numbers as another type: smg_cast_<from>_<to>.
 *
 * b stands for bool, whose name is a macro. Integers wrap; float32 to integer loses the fraction
 * and saturates, NaN gives 0; to bool: x != 0. Exact: equals the reference of Cast. Scratch: none.
 * x and y may share bytes where the walk forwards allows it and one of them is an 8-bit integer.
 */
#ifndef SMG_CAST_H
#define SMG_CAST_H

#include "smg.h"

typedef struct {
    int32_t count;
} smg_cast_t;

#define SMG_CAST(from, to, from_t, to_t, value)                                                    \
    SMG_KERNEL void smg_cast_##from##_##to(const smg_cast_t *op, const from_t *from_x, to_t *y) {  \
        for (int32_t i = 0; i < op->count; ++i) {                                                  \
            const from_t x = from_x[i];                                                            \
            y[i] = (to_t)(value);                                                                  \
        }                                                                                          \
    }

/* From a type whose values C converts as we want them. */
#define SMG_CAST_FROM(from, from_t)                                                                \
    SMG_CAST(from, b, from_t, bool, x != 0)                                                        \
    SMG_CAST(from, s8, from_t, int8_t, x)                                                          \
    SMG_CAST(from, u8, from_t, uint8_t, x)                                                         \
    SMG_CAST(from, s16, from_t, int16_t, x)                                                        \
    SMG_CAST(from, u16, from_t, uint16_t, x)                                                       \
    SMG_CAST(from, s32, from_t, int32_t, x)                                                        \
    SMG_CAST(from, u32, from_t, uint32_t, x)                                                       \
    SMG_CAST(from, s64, from_t, int64_t, x)                                                        \
    SMG_CAST(from, f32, from_t, float, x)

/* x without its fraction, between low and high; both are in the range of int64. */
SMG_INLINE int64_t smg_truncate(float x, int64_t low, int64_t high) {
    if (!(x > -9223372036854775808.0f)) {
        return x < 0.0f ? low : 0;
    }
    if (x >= 9223372036854775808.0f) {
        return high;
    }
    const int64_t whole = (int64_t)x;
    return whole < low ? low : (whole > high ? high : whole);
}

SMG_CAST_FROM(b, bool)
SMG_CAST_FROM(s8, int8_t)
SMG_CAST_FROM(u8, uint8_t)
SMG_CAST_FROM(s16, int16_t)
SMG_CAST_FROM(u16, uint16_t)
SMG_CAST_FROM(s32, int32_t)
SMG_CAST_FROM(u32, uint32_t)
SMG_CAST_FROM(s64, int64_t)
SMG_CAST(f32, b, float, bool, x != 0.0f)
SMG_CAST(f32, s8, float, int8_t, smg_truncate(x, INT8_MIN, INT8_MAX))
SMG_CAST(f32, u8, float, uint8_t, smg_truncate(x, 0, UINT8_MAX))
SMG_CAST(f32, s16, float, int16_t, smg_truncate(x, INT16_MIN, INT16_MAX))
SMG_CAST(f32, u16, float, uint16_t, smg_truncate(x, 0, UINT16_MAX))
SMG_CAST(f32, s32, float, int32_t, smg_truncate(x, INT32_MIN, INT32_MAX))
SMG_CAST(f32, u32, float, uint32_t, smg_truncate(x, 0, UINT32_MAX))
SMG_CAST(f32, s64, float, int64_t, smg_truncate(x, INT64_MIN, INT64_MAX))
SMG_CAST(f32, f32, float, float, x)

#endif
