/* smg_dsp.h: the instructions of Arm's DSP extension that kernels use, under names of our own.
 *
 * A "pair" is a word that holds two signed 16-bit values, the first in its low half.
 */
#ifndef SMG_DSP_H
#define SMG_DSP_H

#include <arm_acle.h>

#include "smg.h"
#include "smg_rolled.h"

typedef int32_t __attribute__((may_alias)) smg_pair_t;
typedef int16_t __attribute__((may_alias)) smg_half_t;

/* `x`, of which the compiler is to know nothing: it then does not copy loops for special counts. */
SMG_INLINE int32_t smg_opaque(int32_t x) {
    __asm__("" : "+r"(x));
    return x;
}

/* Four bytes from any address. */
SMG_INLINE int32_t smg_load_word(const void *from) {
    int32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* Two bytes from any address. */
SMG_INLINE int32_t smg_load_half(const void *from) {
    int16_t half;
    memcpy(&half, from, sizeof half);
    return half;
}

SMG_INLINE int32_t smg_pair(int32_t low, int32_t high) {
    return (int32_t)(((uint32_t)low & 0xffffu) | ((uint32_t)high << 16));
}

/* The low halves of two words, or their high halves, as one word. */
SMG_INLINE int32_t smg_low_halves(int32_t a, int32_t b) {
    return smg_pair(a, b);
}

SMG_INLINE int32_t smg_high_halves(int32_t a, int32_t b) {
    return (int32_t)(((uint32_t)b & 0xffff0000u) | ((uint32_t)a >> 16));
}

SMG_INLINE int32_t smg_rotate_8(int32_t word) {
    return (int32_t)((uint32_t)word >> 8 | (uint32_t)word << 24);
}

/* Bytes 0 and 2, or 1 and 3, of a word as a pair. */
SMG_INLINE int32_t smg_even_bytes(int32_t word) {
    return __sxtb16(word);
}

SMG_INLINE int32_t smg_odd_bytes(int32_t word) {
    return __sxtb16(smg_rotate_8(word));
}

/* sum + both products of two pairs. */
SMG_INLINE int32_t smg_dot(int32_t a, int32_t b, int32_t sum) {
    return __smlad(a, b, sum);
}

/* Both values of a pair doubled. */
SMG_INLINE int32_t smg_double_pair(int32_t pair) {
    return __sadd16(pair, pair);
}

/* round(a * b / 2^32), ties upwards: smg_high_mul of a sum that is kept doubled. */
SMG_INLINE int32_t smg_high_mul_doubled(int32_t a, int32_t b) {
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}

/* a * b / 2^32, rounded down, and `sum` added. */
SMG_INLINE int32_t smg_high_sum(int32_t a, int32_t b, int32_t sum) {
    int32_t high;
    __asm__("smmla %0, %1, %2, %3" : "=r"(high) : "r"(a), "r"(b), "r"(sum));
    return high;
}

#endif
