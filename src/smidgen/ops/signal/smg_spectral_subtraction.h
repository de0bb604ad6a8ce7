/* smg_spectral_subtraction: takes off an estimate of the noise in each channel.
 *
 * noise = (signal * smoothing + noise * one_minus_smoothing) >> bits, with signal = x << up
 * y = max((signal - min(noise, signal)) >> up, x * floor >> bits)
 *
 * Even channels have the first pair of factors, odd ones the second. Exact: equals the reference of
 * SpectralSubtraction bit for bit. Scratch: none. The state is updated where it lies; it, x, y and
 * the estimate are disjoint.
 */
#ifndef SMG_SPECTRAL_SUBTRACTION_H
#define SMG_SPECTRAL_SUBTRACTION_H

#include "smg.h"

typedef struct {
    int32_t channels;
    int32_t smoothing, one_minus_smoothing;
    int32_t alternate_smoothing, alternate_one_minus_smoothing;
    int32_t smoothing_bits, min_signal_remaining, spectral_subtraction_bits, clamping;
} smg_spectral_subtraction_t;

SMG_INLINE uint32_t smg_smoothed(const smg_spectral_subtraction_t *op, int32_t channel,
                                 uint32_t signal, uint32_t noise) {
    const bool odd = (channel & 1) != 0;
    const int32_t fresh = odd ? op->alternate_smoothing : op->smoothing;
    const int32_t old = odd ? op->alternate_one_minus_smoothing : op->one_minus_smoothing;
    const uint64_t sum = (uint64_t)signal * (uint32_t)fresh + (uint64_t)noise * (uint32_t)old;
    return (uint32_t)(sum >> op->spectral_subtraction_bits);
}

SMG_KERNEL void smg_spectral_subtraction(const smg_spectral_subtraction_t *op, const uint32_t *x,
                                         uint32_t *y, uint32_t *estimate, uint32_t *noise) {
    for (int32_t c = 0; c < op->channels; ++c) {
        const uint32_t signal = x[c] << op->smoothing_bits;
        uint32_t taken = smg_smoothed(op, c, signal, noise[c]);
        noise[c] = taken;
        if (taken > signal) {
            taken = signal;
            noise[c] = op->clamping != 0 ? taken : noise[c];
        }
        const uint64_t least = (uint64_t)x[c] * (uint32_t)op->min_signal_remaining;
        const uint32_t floor = (uint32_t)(least >> op->spectral_subtraction_bits);
        const uint32_t left = (signal - taken) >> op->smoothing_bits;
        y[c] = left > floor ? left : floor;
        estimate[c] = noise[c];
    }
}

#endif
