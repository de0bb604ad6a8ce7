/* What an anomaly detector adds to its model: it is sent float32 features, and its result is how
 * far the output is from them.
 *
 * q[i] = clamp(round(x[i] / scale) + zero_point), ties away from zero
 * score = mean over i of (scale * (y[i] - zero_point) - x[i])^2, summed in order in float32
 *
 * A model with float32 inputs or outputs quantises them itself: x or y are as they are. */
#ifndef SMG_SCORE_H
#define SMG_SCORE_H

#include <stdint.h>
#include <string.h>

/* The host's bytes need not be aligned. */
static inline float smg_float_at(const uint8_t *bytes, uint32_t index) {
    float value;
    memcpy(&value, bytes + 4U * index, sizeof value);
    return value;
}

static inline void smg_quantize_features(const uint8_t *features, int8_t *q, uint32_t elements,
                                         float scale, int32_t zero_point) {
    for (uint32_t i = 0; i < elements; ++i) {
        const float steps = smg_float_at(features, i) / scale;
        const float rounded = steps < 0.0F ? steps - 0.5F : steps + 0.5F;
        int32_t value = -512; /* also for what is no number */
        if (rounded > -512.0F) {
            value = rounded < 512.0F ? (int32_t)rounded : 512;
        }
        value += zero_point;
        q[i] = (int8_t)(value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value);
    }
}

static inline float smg_float_reconstruction_error(const uint8_t *features, const float *y,
                                                   uint32_t elements) {
    float sum = 0.0F;
    for (uint32_t i = 0; i < elements; ++i) {
        const float difference = y[i] - smg_float_at(features, i);
        sum += difference * difference;
    }
    return sum / (float)elements;
}

static inline float smg_reconstruction_error(const uint8_t *features, const int8_t *y,
                                             uint32_t elements, float scale, int32_t zero_point) {
    float sum = 0.0F;
    for (uint32_t i = 0; i < elements; ++i) {
        const float difference = scale * (float)(y[i] - zero_point) - smg_float_at(features, i);
        sum += difference * difference;
    }
    return sum / (float)elements;
}

#endif
