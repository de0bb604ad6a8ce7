/* smg.h: what every smidgen kernel stands on: how kernels are declared, and requantisation.
 *
 * C99, no heap, no globals. Kernels are inlined where they are called: into the one layer that runs
 * them (code specialised for it: fast), or into a function that layers share (SMG_SHARED: small).
 */
#ifndef SMG_H
#define SMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define SMG_FOR_SIZE __attribute__((minsize))
#elif defined(__GNUC__)
#define SMG_FOR_SIZE __attribute__((cold))
#endif

#if defined(__GNUC__)
#define SMG_ALIGNED(n) __attribute__((aligned(n)))
#define SMG_NOINLINE __attribute__((noinline, unused))
#define SMG_INLINE static inline __attribute__((always_inline, unused))
#else
#define SMG_ALIGNED(n)
#define SMG_FOR_SIZE
#define SMG_NOINLINE
#define SMG_INLINE static inline
#endif

/* SMG_SMALL: a function that runs seldom, and is to be small however the rest is optimised. */
#if defined(__clang__)
#define SMG_SMALL __attribute__((minsize, noinline, unused))
#else
#define SMG_SMALL SMG_NOINLINE
#endif

#ifndef SMG_KERNEL
#define SMG_KERNEL SMG_INLINE
#endif
#ifndef SMG_SHARED
#define SMG_SHARED SMG_NOINLINE static
#endif
#define SMG_COMPACT SMG_FOR_SIZE SMG_SHARED

SMG_INLINE int32_t smg_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

SMG_INLINE int32_t smg_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

SMG_INLINE int32_t smg_clamp(int32_t x, int32_t low, int32_t high) {
    return smg_min(smg_max(x, low), high);
}

#if SMG_HARVARD
/* round(a * b / 2^31), ties upwards. Exact but for a = b = -2^31, which b >= 0 excludes. AVR shifts
 * 64 bits bit by bit, so the high half is taken as it lies in memory. */
SMG_NOINLINE static int32_t smg_high_mul(int32_t a, int32_t b) {
    const union {
        int64_t whole;
        uint32_t halves[2];
        uint8_t bytes[8];
    } product = {(int64_t)a * b};
    const uint8_t top = product.bytes[3];
    return (int32_t)((product.halves[1] << 1) + (uint8_t)((top >> 7) + ((top >> 6) & 1)));
}

/* round(x / 2^n), ties away from zero, 0 <= n <= 31. */
SMG_NOINLINE static int32_t smg_rounding_shift(int32_t x, int32_t n) {
    uint32_t size = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
    uint8_t left = (uint8_t)n;
    if (left > 0) {
        for (; left > 8; left = (uint8_t)(left - 8)) {
            size >>= 8;
        }
        size = ((size >> (left - 1)) + 1u) >> 1;
    }
    return (int32_t)(x < 0 ? 0u - size : size);
}

/* x * mantissa * 2^(shift - 31), rounded twice as TensorFlow Lite Micro does; mantissa >= 0. */
SMG_NOINLINE static int32_t smg_requantize(int32_t x, int32_t mantissa, int32_t shift) {
    const int8_t places = (int8_t)shift;
    const uint8_t left = (uint8_t)(places > 0 ? places : 0);
    const int32_t widened = (int32_t)((uint32_t)x << left);
    return smg_rounding_shift(smg_high_mul(widened, mantissa), (uint8_t)(left - places));
}
#else
/* round(a * b / 2^31), ties upwards. Exact but for a = b = -2^31, which b >= 0 excludes. */
SMG_INLINE int32_t smg_high_mul(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* round(x / 2^n), ties away from zero, 0 <= n <= 31. */
SMG_INLINE int32_t smg_rounding_shift(int32_t x, int32_t n) {
    const int32_t mask = (int32_t)(((uint32_t)1 << n) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> n) + ((x & mask) > threshold ? 1 : 0);
}

/* x * mantissa * 2^(shift - 31), rounded twice as TensorFlow Lite Micro does; mantissa >= 0. */
SMG_INLINE int32_t smg_requantize(int32_t x, int32_t mantissa, int32_t shift) {
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    const int32_t widened = (int32_t)((uint32_t)x << left);
    return smg_rounding_shift(smg_high_mul(widened, mantissa), right);
}
#endif /* SMG_HARVARD */

#endif
