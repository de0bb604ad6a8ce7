/* smg_avr.h: what int8 layers do on 8-bit AVR: products with weights in flash.
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

/* A rectangle of values and weights: rows of `count` products, values `step` apart; `x_skip` and
 * `w_skip` lead from behind a row to the next one. */
typedef struct {
    uint16_t count, step, x_skip, w_skip;
    uint8_t rows;
} smg_avr_area_t;

/* sum + the products of a rectangle of neighbouring values; it has at least one. */
SMG_NOINLINE static int32_t smg_avr_area(int32_t sum, const int8_t *x, const SMG_ROM int8_t *w,
                                         const smg_avr_area_t *area) {
    uint8_t rows = area->rows;
#if defined(__AVR__)
    const uint16_t count = area->count, x_skip = area->x_skip, w_skip = area->w_skip;
    uint16_t at = (uint16_t)w, left;
    int8_t a, b;
    __asm__ volatile("0: movw %[n], %[count]\n\t"
                     "rjmp 2f\n\t"
                     "1:\n\t" SMG_AVR_STEP SMG_AVR_STEP SMG_AVR_STEP SMG_AVR_STEP
                     "2: subi %A[n], 4\n\t"
                     "sbci %B[n], 0\n\t"
                     "brcc 1b\n\t"
                     "subi %A[n], 0xFC\n\t"
                     "rjmp 4f\n\t"
                     "3:\n\t" SMG_AVR_STEP "4: subi %A[n], 1\n\t"
                     "brcc 3b\n\t"
                     "add %A[x], %A[x_skip]\n\t"
                     "adc %B[x], %B[x_skip]\n\t"
                     "add r30, %A[w_skip]\n\t"
                     "adc r31, %B[w_skip]\n\t"
                     "dec %[rows]\n\t"
                     "brne 0b\n\t"
                     "clr r1\n\t"
                     : [sum] "+r"(sum), [x] "+x"(x),
                       "+z"(at), [n] "=&d"(left), [rows] "+r"(rows), [a] "=&d"(a), [b] "=&d"(b)
                     : [count] "r"(count), [x_skip] "r"(x_skip), [w_skip] "r"(w_skip)
                     : "memory");
#else
    for (; rows > 0; --rows) {
        for (uint16_t i = 0; i < area->count; ++i) {
            sum += *x++ * *w++;
        }
        x += (int16_t)area->x_skip;
        w += area->w_skip;
    }
#endif
    return sum;
}

/* The same for values that are `step` apart; at most 255 to a row. */
SMG_NOINLINE static int32_t smg_avr_area_steps(int32_t sum, const int8_t *x,
                                               const SMG_ROM int8_t *w,
                                               const smg_avr_area_t *area) {
    uint8_t rows = area->rows;
#if defined(__AVR__)
    const uint16_t step = area->step, x_skip = area->x_skip, w_skip = area->w_skip;
    const uint8_t count = (uint8_t)area->count;
    uint16_t at = (uint16_t)w;
    uint8_t left;
    int8_t a, b;
    __asm__ volatile(
        "0: mov %[n], %[count]\n\t"
        "1: ld %[a], X\n\t"
        "add %A[x], %A[step]\n\t"
        "adc %B[x], %B[step]\n\t"
        "lpm %[b], Z+\n\t" SMG_AVR_ADD "dec %[n]\n\t"
        "brne 1b\n\t"
        "add %A[x], %A[x_skip]\n\t"
        "adc %B[x], %B[x_skip]\n\t"
        "add r30, %A[w_skip]\n\t"
        "adc r31, %B[w_skip]\n\t"
        "dec %[rows]\n\t"
        "brne 0b\n\t"
        "clr r1\n\t"
        : [sum] "+r"(sum), [x] "+x"(x),
          "+z"(at), [n] "=&r"(left), [rows] "+r"(rows), [a] "=&d"(a), [b] "=&d"(b)
        : [count] "r"(count), [step] "r"(step), [x_skip] "r"(x_skip), [w_skip] "r"(w_skip)
        : "memory");
#else
    for (; rows > 0; --rows) {
        for (uint16_t i = 0; i < area->count; ++i) {
            sum += *x * *w++;
            x += area->step;
        }
        x += (int16_t)area->x_skip;
        w += area->w_skip;
    }
#endif
    return sum;
}

#endif
