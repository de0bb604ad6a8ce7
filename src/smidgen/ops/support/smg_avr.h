/* smg_avr.h: what int8 layers do on 8-bit AVR: products with weights in flash, requantisation.
 *
 * MULS takes two bytes in 2 clocks, a load 2 from RAM and 3 from flash, and a sum of 32 bits 5 with
 * the sign; the loop adds 1, of four products at a time: 13 clocks for each. An `int` has 16 bits.
 * Exact; the assembly does what the C beside it does.
 */
#ifndef SMG_AVR_H
#define SMG_AVR_H

#include "smg.h"

#if defined(__AVR__)
/* Adds the product of bytes a and b to the sum; b becomes its sign. */
#define SMG_AVR_ADD                                                                                \
    "muls %[a], %[b]\n\t"                                                                          \
    "sbc %[b], %[b]\n\t"                                                                           \
    "add %A[sum], r0\n\t"                                                                          \
    "adc %B[sum], r1\n\t"                                                                          \
    "adc %C[sum], %[b]\n\t"                                                                        \
    "adc %D[sum], %[b]\n\t"
#define SMG_AVR_STEP                                                                               \
    "ld %[a], X+\n\t"                                                                              \
    "lpm %[b], Z+\n\t" SMG_AVR_ADD
#endif

/* sum + the products of `count` neighbouring values and weights. */
SMG_NOINLINE static int32_t smg_avr_dot(int32_t sum, const int8_t *x, const SMG_ROM int8_t *w,
                                        uint16_t count) {
#if defined(__AVR__)
    uint16_t at = (uint16_t)w;
    int8_t a, b;
    __asm__ volatile(
        "rjmp 2f\n\t"
        "1:\n\t" SMG_AVR_STEP SMG_AVR_STEP SMG_AVR_STEP SMG_AVR_STEP "2: subi %A[n], 4\n\t"
        "sbci %B[n], 0\n\t"
        "brcc 1b\n\t"
        "subi %A[n], 0xFC\n\t"
        "rjmp 4f\n\t"
        "3:\n\t" SMG_AVR_STEP "4: subi %A[n], 1\n\t"
        "brcc 3b\n\t"
        "clr r1\n\t"
        : [sum] "+r"(sum), "+x"(x), "+z"(at), [n] "+d"(count), [a] "=&d"(a), [b] "=&d"(b)
        :
        : "memory");
#else
    for (; count > 0; --count) {
        sum += *x++ * *w++;
    }
#endif
    return sum;
}

/* The same for values that are `step` apart. */
SMG_NOINLINE static int32_t smg_avr_dot_steps(int32_t sum, const int8_t *x, uint16_t step,
                                              const SMG_ROM int8_t *w, uint8_t count) {
#if defined(__AVR__)
    uint16_t at = (uint16_t)w;
    int8_t a, b;
    __asm__ volatile("rjmp 2f\n\t"
                     "1: ld %[a], X\n\t"
                     "add %A[x], %A[step]\n\t"
                     "adc %B[x], %B[step]\n\t"
                     "lpm %[b], Z+\n\t" SMG_AVR_ADD "2: subi %[n], 1\n\t"
                     "brcc 1b\n\t"
                     "clr r1\n\t"
                     : [sum] "+r"(sum), [x] "+x"(x),
                       "+z"(at), [n] "+d"(count), [a] "=&d"(a), [b] "=&d"(b)
                     : [step] "r"(step)
                     : "memory");
#else
    for (; count > 0; --count) {
        sum += *x * *w++;
        x += step;
    }
#endif
    return sum;
}

/* sum + value * the sum of `count` weights: what padding adds. */
SMG_NOINLINE static int32_t smg_avr_padding(int32_t sum, int16_t value, const SMG_ROM int8_t *w,
                                            uint16_t count) {
    int32_t total = 0;
    for (; count > 0; --count) {
        total += *w++;
    }
    return sum + value * total;
}

/* smg_requantize of smg.h, without its shifts of 64 bits, which AVR does bit by bit. */
SMG_NOINLINE static int32_t smg_avr_requantize(int32_t x, int32_t mantissa, int8_t shift) {
    const uint8_t left = (uint8_t)(shift > 0 ? shift : 0);
    uint8_t right = (uint8_t)(left - shift);
    const int64_t product = (int64_t)(int32_t)((uint32_t)x << left) * mantissa;
    uint32_t halves[2];
    memcpy(halves, &product, sizeof halves);
    const uint8_t top = (uint8_t)(halves[0] >> 24);
    const uint32_t rounded = (halves[1] << 1) + (uint8_t)((top >> 7) + ((top >> 6) & 1));
    const bool negative = (int32_t)rounded < 0;
    uint32_t size = negative ? 0u - rounded : rounded;
    if (right > 0) {
        for (; right > 8; right = (uint8_t)(right - 8)) {
            size >>= 8;
        }
        size = ((size >> (right - 1)) + 1u) >> 1;
    }
    return (int32_t)(negative ? 0u - size : size);
}

#endif
