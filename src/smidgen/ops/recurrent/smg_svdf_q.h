/* smg_svdf_q: SVDF layer on int8, with a state and time weights of int8 or int16.
 *
 * state[f] moves one step, its last = zp_s + saturate(requant(sum_i w[f,i] * (x[i] - zp_x)))
 * y[u] = finish(b[u] + sum over the filters f of unit u and t of v[f,t] * (state[f,t] - zp_s))
 *
 * An int8 state may wrap when the zero point is added, as in TensorFlow Lite Micro.
 * Exact: equals the reference of Svdf bit for bit. Scratch: none. The state is updated where it
 * lies; it, x and y are disjoint.
 */
#ifndef SMG_SVDF_Q_H
#define SMG_SVDF_Q_H

#include "smg_finish.h"
#include "smg_quanta.h"

typedef struct {
    int32_t batches, inputs, units, rank, memory;
    int32_t zero_point, state_zero_point, state_low, state_high;
    int32_t state_mantissa, state_shift;
    smg_finish_t finish;
} smg_svdf_q_t;

/* One filter: its memory moves on, and is weighed over time. */
SMG_INLINE int64_t smg_svdf_q_filter(const smg_svdf_q_t *op, smg_run_t x, smg_run_t features,
                                     smg_run_t state, smg_run_t time, void *states) {
    for (int32_t t = 0; t + 1 < op->memory; ++t) {
        smg_store(states, state.bits, state.index + t,
                  smg_load(states, state.bits, state.index + t + 1));
    }
    const int32_t sum = (int32_t)smg_dot_runs(x, features, op->inputs);
    const int32_t fresh = smg_requantize(sum, op->state_mantissa, op->state_shift);
    smg_store(states, state.bits, state.index + op->memory - 1,
              smg_clamp(fresh, op->state_low, op->state_high) + op->state_zero_point);
    return smg_dot_runs(state, time, op->memory);
}

SMG_INLINE void smg_svdf_q(const smg_svdf_q_t *op, const int8_t *x, const int8_t *features,
                           const void *time, int32_t bits, int8_t *y, void *states) {
    const int32_t filters = op->units * op->rank;
    for (int32_t n = 0; n < op->batches; ++n) {
        const smg_run_t row = {x, 8, n * op->inputs, op->zero_point};
        for (int32_t u = 0; u < op->units; ++u) {
            int64_t sum = 0;
            for (int32_t f = u * op->rank; f < (u + 1) * op->rank; ++f) {
                const smg_run_t feature = {features, 8, f * op->inputs, 0};
                const smg_run_t state = {states, bits, (n * filters + f) * op->memory,
                                         op->state_zero_point};
                const smg_run_t weights = {time, bits, f * op->memory, 0};
                sum += smg_svdf_q_filter(op, row, feature, state, weights, states);
            }
            *y++ = (int8_t)smg_finish(&op->finish, sum, u, false);
        }
    }
}

SMG_KERNEL void smg_svdf_q8(const smg_svdf_q_t *op, const int8_t *x, const SMG_ANY int8_t *features,
                            const SMG_ANY int8_t *time, int8_t *y, int8_t *state) {
    smg_svdf_q(op, x, features, time, 8, y, state);
}

// clang-format off
SMG_KERNEL void smg_svdf_q16(const smg_svdf_q_t *op, const int8_t *x, const SMG_ANY int8_t *features,
                             const SMG_ANY int16_t *time, int8_t *y, int16_t *state) {
    smg_svdf_q(op, x, features, time, 16, y, state);
}
// clang-format on

#endif
