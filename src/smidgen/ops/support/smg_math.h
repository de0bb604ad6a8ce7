/* smg_math.h: float32 functions for cores without a C library; each core gives the same bits.
 *
 * Only +, -, *, /, square root and integer operations are used, in a fixed order and (built with
 * -ffp-contract=off) without fusing, so that float_math.py, the NumPy twin, gives the same bits
 * too. Largest error found, in units in the last place (ulp): exp 1.0, log 0.9, tanh 1.4, erf 1.8,
 * sin and cos 2.5. Rounding functions, remainder and sqrt are exact.
 */
#ifndef SMG_MATH_H
#define SMG_MATH_H

#include "smg.h"
#include <math.h>

SMG_INLINE uint32_t smg_float_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SMG_INLINE float smg_bits_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SMG_INLINE float smg_absf(float x) {
    return smg_bits_float(smg_float_bits(x) & 0x7FFFFFFFu);
}

/* |magnitude| with the sign of `sign`. */
SMG_INLINE float smg_signed(float magnitude, float sign) {
    return smg_bits_float((smg_float_bits(magnitude) & 0x7FFFFFFFu) |
                          (smg_float_bits(sign) & 0x80000000u));
}

/* 2^n for -126 <= n <= 127. */
SMG_INLINE float smg_power_of_two(int32_t n) {
    return smg_bits_float((uint32_t)(n + 127) << 23);
}

/* The largest whole number that is not above x. */
SMG_INLINE float smg_floorf(float x) {
    if (!(smg_absf(x) < 8388608.0f)) {
        return x;
    }
    const float whole = (float)(int32_t)x;
    return smg_signed(whole > x ? whole - 1.0f : whole, x);
}

/* The smallest whole number that is not below x. */
SMG_INLINE float smg_ceilf(float x) {
    return -smg_floorf(-x);
}

/* The nearest whole number; halves go to the even one, and -0.5 <= x <= 0 gives 0. */
SMG_INLINE float smg_roundf(float x) {
    const float whole = smg_floorf(x);
    const float rest = x - whole;
    const bool keep = rest < 0.5f || (rest == 0.5f && ((int32_t)whole & 1) == 0);
    return keep || !(smg_absf(x) < 8388608.0f) ? whole : whole + 1.0f;
}

/* The nearest whole number; halves go away from zero. */
SMG_INLINE float smg_round_awayf(float x) {
    const float whole = smg_signed(smg_floorf(smg_absf(x)), x);
    return smg_absf(x - whole) >= 0.5f ? whole + smg_signed(1.0f, x) : whole;
}

SMG_INLINE float smg_sqrtf(float x) {
    return sqrtf(x);
}

/* Significand (with its hidden bit) and exponent of a positive finite number. */
SMG_INLINE uint32_t smg_significand(uint32_t bits, int32_t *exponent) {
    uint32_t significand = bits & 0x007FFFFFu;
    *exponent = (int32_t)(bits >> 23);
    if (*exponent != 0) {
        return significand | 0x00800000u;
    }
    *exponent = 1;
    return significand;
}

/* a - b * trunc(a / b), exact, with the sign of a. */
SMG_INLINE float smg_fmodf(float a, float b) {
    const uint32_t top = smg_float_bits(a) & 0x7FFFFFFFu;
    const uint32_t divisor = smg_float_bits(b) & 0x7FFFFFFFu;
    if (top >= 0x7F800000u || divisor > 0x7F800000u || divisor == 0) {
        return (a * b) / (a * b);
    }
    if (top < divisor) {
        return a;
    }
    int32_t high;
    int32_t low;
    uint32_t rest = smg_significand(top, &high);
    const uint32_t part = smg_significand(divisor, &low);
    rest %= part;
    for (; high > low; --high) {
        rest = (rest << 1) % part;
    }
    for (; rest != 0 && rest < 0x00800000u && low > 1; --low) {
        rest <<= 1;
    }
    const uint32_t exponent = rest < 0x00800000u ? 0u : (uint32_t)low << 23;
    return smg_signed(smg_bits_float((rest & 0x007FFFFFu) | exponent), a);
}

/* e^x: x = n ln 2 + r, e^r by a polynomial, times 2^n in two steps. */
SMG_INLINE float smg_expf(float x) {
    if (!(x < 88.7228394f)) {
        return x + INFINITY;
    }
    if (x < -103.972084f) {
        return 0.0f;
    }
    const int32_t n = (int32_t)(x * 1.44269502f + (x < 0.0f ? -0.5f : 0.5f));
    const float r = (x - (float)n * 0.693359375f) + (float)n * 0.000212194442f;
    float p = 0.000198919806f;
    p = p * r + 0.00139345415f;
    p = p * r + 0.00833331048f;
    p = p * r + 0.0416664556f;
    p = p * r + 0.166666672f;
    p = p * r + 0.5f;
    const float power = (p * r * r + r) + 1.0f;
    const int32_t half = n >> 1;
    return power * smg_power_of_two(half) * smg_power_of_two(n - half);
}

/* ln x: x = 2^k (1 + f); ln(1 + f) from s = f / (2 + f), whose odd powers are summed. */
SMG_INLINE float smg_logf(float x) {
    if (!(x > 0.0f) || !(x < INFINITY)) {
        return x == 0.0f ? -INFINITY : (x < 0.0f ? NAN : x);
    }
    int32_t k = 0;
    if (x < 1.17549435e-38f) {
        x *= 8388608.0f;
        k = -23;
    }
    /* The significand is brought into [sqrt(1/2), sqrt(2)). */
    const uint32_t bits = smg_float_bits(x) + (0x3F800000u - 0x3F3504F3u);
    k += (int32_t)(bits >> 23) - 127;
    const float f = smg_bits_float((bits & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    const float s = f / (2.0f + f);
    const float z = s * s;
    float p = 0.233419433f;
    p = p * z + 0.285503983f;
    p = p * z + 0.400001258f;
    p = p * z + 0.666666687f;
    const float half_square = 0.5f * f * f;
    const float tail = s * (half_square + p * z) - (float)k * 0.000212194442f;
    return (float)k * 0.693359375f - ((half_square - tail) - f);
}

/* tanh x: a polynomial up to 0.625, then 1 - 2 / (e^2x + 1). */
SMG_INLINE float smg_tanhf(float x) {
    const float size = smg_absf(x);
    if (size < 0.625f) {
        const float z = x * x;
        float p = 0.00229180953f;
        p = p * z - 0.00834311917f;
        p = p * z + 0.0217686668f;
        p = p * z - 0.0539592281f;
        p = p * z + 0.133333027f;
        p = p * z - 0.333333343f;
        return x + x * (z * p);
    }
    if (size > 10.0f) {
        return smg_signed(1.0f, x);
    }
    const float tanh = 1.0f - 2.0f / (smg_expf(size + size) + 1.0f);
    return x != x ? x : smg_signed(tanh, x);
}

/* 1 / (1 + e^-x), with TensorFlow Lite Micro's bounds; below -9 it is e^x to float32. */
SMG_INLINE float smg_logisticf(float x) {
    if (x > 16.6190471f) {
        return 1.0f;
    }
    return x < -9.0f ? smg_expf(x) : 1.0f / (1.0f + smg_expf(-x));
}

/* erf x: a polynomial up to 1, then 1 - t q(t) e^-x^2 with t = 1 / (1 + x / 2). */
SMG_INLINE float smg_erff(float x) {
    const float size = smg_absf(x);
    const float z = x * x;
    if (size < 1.0f) {
        float p = 7.87587487e-05f;
        p = p * z - 0.00080168643f;
        p = p * z + 0.00518908724f;
        p = p * z - 0.0268542115f;
        p = p * z + 0.112835944f;
        p = p * z - 0.37612626f;
        p = p * z + 0.128379166f;
        return x + x * p;
    }
    if (size > 4.0f) {
        return smg_signed(1.0f, x);
    }
    const float t = 1.0f / (1.0f + 0.5f * size);
    float q = -0.101446852f;
    q = q * t + 0.0855448171f;
    q = q * t + 0.228273332f;
    q = q * t + 0.214984044f;
    q = q * t + 0.289901406f;
    q = q * t + 0.2813842f;
    const float erf = 1.0f - t * q * smg_expf(-z);
    return x != x ? x : smg_signed(erf, x);
}

/* |x| = quarter turns * pi/2 + r with |r| <= pi/4: a window of 96 bits of 2/pi times x's 24. */
SMG_INLINE float smg_reduce_angle(float x, uint32_t *quarter_turns) {
    static const uint32_t two_over_pi[8] = {0x00000000u, 0xA2F9836Eu, 0x4E441529u, 0xFC2757D1u,
                                            0xF534DDC0u, 0xDB629599u, 0x3C439041u, 0xFE5163ABu};
    const uint32_t bits = smg_float_bits(x) & 0x7FFFFFFFu;
    const uint32_t first = (bits >> 23) - 120u;
    const uint32_t *const word = two_over_pi + (first >> 5);
    const uint32_t shift = first & 31u;
    const uint64_t upper = ((uint64_t)word[0] << 32 | word[1]) << shift;
    const uint64_t middle = ((uint64_t)word[1] << 32 | word[2]) << shift;
    const uint64_t lower = ((uint64_t)word[2] << 32 | word[3]) << shift;
    const uint64_t window = (upper & 0xFFFFFFFF00000000u) | (middle >> 32);
    const uint64_t significand = (bits & 0x007FFFFFu) | 0x00800000u;
    const uint64_t turns = significand * window + (significand * (lower >> 32) >> 32);
    const uint64_t nearest = (turns + ((uint64_t)1 << 61)) >> 62;
    const int64_t rest = (int64_t)(turns - (nearest << 62));
    const float high = (float)rest;
    const float low = (float)(rest - (int64_t)high);
    *quarter_turns = (uint32_t)nearest & 3u;
    /* pi/2 * 2^-62 in two parts. */
    return high * 3.40612167e-19f + (high * -9.47839643e-27f + low * 3.40612167e-19f);
}

SMG_INLINE float smg_sine_near_zero(float r) {
    const float z = r * r;
    float p = 2.72493139e-06f;
    p = p * z - 0.000198400827f;
    p = p * z + 0.00833333191f;
    p = p * z - 0.166666672f;
    return r + r * (z * p);
}

SMG_INLINE float smg_cosine_near_zero(float r) {
    const float z = r * r;
    float p = -2.73004474e-07f;
    p = p * z + 2.48005963e-05f;
    p = p * z - 0.00138888881f;
    p = p * z + 0.0416666679f;
    return 1.0f - (0.5f * z - z * z * p);
}

/* The sine of an angle `quarter_turns` further than r. */
SMG_INLINE float smg_sine_of_reduced(float r, uint32_t quarter_turns) {
    const float size = (quarter_turns & 1u) != 0 ? smg_cosine_near_zero(r) : smg_sine_near_zero(r);
    return (quarter_turns & 2u) != 0 ? -size : size;
}

SMG_INLINE float smg_sinf(float x) {
    if (smg_absf(x) < 0.785398185f) {
        return smg_sine_near_zero(x);
    }
    if (!(smg_absf(x) < INFINITY)) {
        return NAN;
    }
    uint32_t quarter_turns;
    const float r = smg_reduce_angle(x, &quarter_turns);
    const float sine = smg_sine_of_reduced(r, quarter_turns);
    return x < 0.0f ? -sine : sine;
}

SMG_INLINE float smg_cosf(float x) {
    if (smg_absf(x) < 0.785398185f) {
        return smg_cosine_near_zero(x);
    }
    if (!(smg_absf(x) < INFINITY)) {
        return NAN;
    }
    uint32_t quarter_turns;
    const float r = smg_reduce_angle(x, &quarter_turns);
    return smg_sine_of_reduced(r, quarter_turns + 1u);
}

#endif
