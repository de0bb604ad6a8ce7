/* smg_lstm_f32: LSTM over a sequence, on float32.
 *
 * gates i, f, g, o = b + W x + R h; c = clip(sigmoid(f) c + sigmoid(i) tanh(g));
 * h = sigmoid(o) tanh(c). y holds h of every step.
 *
 * Sums are float32 in the order of the loops; within 1e-5 of the reference, which computes in
 * float64 and rounds the states to float32 after each step. Scratch: none. The states are updated
 * where they lie; they, x and y are disjoint.
 */
#ifndef SMG_LSTM_F32_H
#define SMG_LSTM_F32_H

#include "smg_math.h"

typedef struct {
    const SMG_ROM float *weights, *recurrent, *bias;
} smg_lstm_f32_gate_t;

typedef struct {
    int32_t batches, steps, inputs, units;
    int32_t batch_stride, step_stride; /* in rows of x and y */
    float cell_clip;                   /* 0: none */
    smg_lstm_f32_gate_t input, forget, cell, output;
} smg_lstm_f32_t;

SMG_INLINE float smg_lstm_f32_dot(const SMG_ROM float *a, const float *b, int32_t count) {
    float sum = 0.0f;
    for (int32_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

SMG_INLINE float smg_lstm_f32_gate(const smg_lstm_f32_t *op, const smg_lstm_f32_gate_t *gate,
                                   int32_t unit, const float *x, const float *h) {
    const float fed = smg_lstm_f32_dot(gate->weights + unit * op->inputs, x, op->inputs);
    const float back = smg_lstm_f32_dot(gate->recurrent + unit * op->units, h, op->units);
    return (fed + gate->bias[unit]) + back;
}

SMG_INLINE void smg_lstm_f32_step(const smg_lstm_f32_t *op, const float *x, const float *h,
                                  float *y, float *cell) {
    for (int32_t u = 0; u < op->units; ++u) {
        const float i = smg_logisticf(smg_lstm_f32_gate(op, &op->input, u, x, h));
        const float f = smg_logisticf(smg_lstm_f32_gate(op, &op->forget, u, x, h));
        const float g = smg_tanhf(smg_lstm_f32_gate(op, &op->cell, u, x, h));
        const float o = smg_logisticf(smg_lstm_f32_gate(op, &op->output, u, x, h));
        float next = f * cell[u] + i * g;
        if (op->cell_clip > 0.0f) {
            next = next < -op->cell_clip ? -op->cell_clip : next;
            next = next > op->cell_clip ? op->cell_clip : next;
        }
        cell[u] = next;
        y[u] = o * smg_tanhf(next);
    }
}

SMG_KERNEL void smg_lstm_f32(const smg_lstm_f32_t *op, const float *x, float *y, float *hidden,
                             float *cell) {
    for (int32_t n = 0; n < op->batches; ++n) {
        const float *last = hidden;
        for (int32_t t = 0; t < op->steps; ++t) {
            const int32_t row = n * op->batch_stride + t * op->step_stride;
            smg_lstm_f32_step(op, x + row * op->inputs, last, y + row * op->units, cell);
            last = y + row * op->units;
        }
        memmove(hidden, last, (size_t)op->units * sizeof(float));
        hidden += op->units;
        cell += op->units;
    }
}

#endif
