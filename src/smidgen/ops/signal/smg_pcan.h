/* smg_pcan: automatic gain of each channel from its noise.
 *
 * y = shrink(x * gain(noise) >> shift); gain is piecewise quadratic over the octaves of the noise;
 * shrink(r) = r^2 / 4 below 2, r - 1 above, from 12 fractional bits to 6.
 *
 * Exact: equals the reference of Pcan bit for bit. Scratch: none. y may be x.
 */
#ifndef SMG_PCAN_H
#define SMG_PCAN_H

#include "smg.h"

typedef struct {
    int32_t channels, snr_shift;
} smg_pcan_t;

SMG_INLINE int32_t smg_pcan_gain(const int16_t *gains, uint32_t noise) {
    if (noise <= 2) {
        return gains[noise];
    }
    int32_t octave = 2;
    while (octave < 32 && noise >> octave != 0) {
        ++octave;
    }
    const int16_t *at = gains + 4 * octave - 6;
    const uint32_t inside =
        (octave < 11 ? noise << (11 - octave) : noise >> (octave - 11)) & 0x3FFu;
    const int32_t slope = (at[2] * (int32_t)inside >> 5) + at[1] * (int32_t)32;
    const int32_t rise = (int32_t)((uint32_t)slope * inside);
    return (int16_t)(((rise + (1 << 14)) >> 15) + at[0]);
}

SMG_INLINE uint32_t smg_pcan_shrink(uint32_t x) {
    return x < (2u << 12) ? (x * x) >> 20 : (x >> 6) - (1u << 6);
}

SMG_KERNEL void smg_pcan(const smg_pcan_t *op, const uint32_t *x, const uint32_t *noise,
                         const int16_t *gains, uint32_t *y) {
    for (int32_t c = 0; c < op->channels; ++c) {
        const uint32_t gain = (uint32_t)smg_pcan_gain(gains, noise[c]);
        y[c] = smg_pcan_shrink((uint32_t)(((uint64_t)x[c] * gain) >> op->snr_shift));
    }
}

#endif
