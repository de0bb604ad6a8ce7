/* smg_svdf_f32: SVDF layer on float32.
 *
 * state[f] moves one step, its last = sum_i w[f,i] * x[i]
 * y[u] = clamp(b[u] + sum over the filters f of unit u and t of v[f,t] * state[f,t])
 *
 * Accuracy: see smg_real.h. Scratch: none. The state is updated where it lies; it, x and y are
 * disjoint.
 */
#ifndef SMG_SVDF_F32_H
#define SMG_SVDF_F32_H

#include "smg_real.h"

typedef struct {
    int32_t batches, inputs, units, rank, memory;
    smg_real_t finish;
} smg_svdf_f32_t;

SMG_INLINE float smg_svdf_f32_filter(const smg_svdf_f32_t *op, const float *x,
                                     const float *features, const float *time, float *state) {
    for (int32_t t = 0; t + 1 < op->memory; ++t) {
        state[t] = state[t + 1];
    }
    state[op->memory - 1] = smg_dot_real(&op->finish, 0.0f, x, features, 32, 0, op->inputs);
    return smg_dot_real(&op->finish, 0.0f, state, time, 32, 0, op->memory);
}

// clang-format off
SMG_KERNEL void smg_svdf_f32(const smg_svdf_f32_t *op, const float *x, const SMG_ANY float *features,
                             const SMG_ANY float *time, float *y, float *state) {
    for (int32_t n = 0; n < op->batches; ++n) {
        for (int32_t u = 0; u < op->units; ++u) {
            float sum = 0.0f;
            for (int32_t f = u * op->rank; f < (u + 1) * op->rank; ++f) {
                sum += smg_svdf_f32_filter(op, x, features + f * op->inputs, time + f * op->memory,
                                           state);
                state += op->memory;
            }
            *y++ = smg_finish_real(&op->finish, sum, u);
        }
        x += op->inputs;
    }
}
// clang-format on

#endif
