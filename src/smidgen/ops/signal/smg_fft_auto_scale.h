/* smg_fft_auto_scale: int16 samples shifted up until they use all bits.
 *
 * bits = 15 - (bits of the largest magnitude), at least 0, and 0 for silence; y = x << bits. As in
 * TensorFlow Lite Micro, -32768 has no magnitude in 16 bits and makes the search forget the samples
 * before it.
 *
 * Exact: equals the reference of FftAutoScale bit for bit. Scratch: none. y may be x.
 */
#ifndef SMG_FFT_AUTO_SCALE_H
#define SMG_FFT_AUTO_SCALE_H

#include "smg.h"

typedef struct {
    int32_t count;
} smg_fft_auto_scale_t;

SMG_INLINE int32_t smg_largest_magnitude(const int16_t *x, int32_t count) {
    int32_t largest = 0;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = x[i];
        if (value > largest) {
            largest = value;
        } else if (-value > largest) {
            largest = (int16_t)-value;
        }
    }
    return largest;
}

SMG_KERNEL void smg_fft_auto_scale(const smg_fft_auto_scale_t *op, const int16_t *x, int16_t *y,
                                   int32_t *bits) {
    const int32_t largest = smg_largest_magnitude(x, op->count);
    int32_t shift = largest <= 0 ? 0 : 15;
    while (shift > 0 && (largest >> (15 - shift)) != 0) {
        --shift;
    }
    const int32_t factor = (int32_t)1 << shift;
    for (int32_t i = 0; i < op->count; ++i) {
        y[i] = (int16_t)(x[i] * factor);
    }
    *bits = shift;
}

#endif
