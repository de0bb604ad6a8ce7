/* smg_lstm_q: LSTM over a sequence, on int8 or int16 activations with int8 weights.
 *
 * gates i, f, g, o (Q3.12) = saturate(requant(b + W x) + requant(b' + R h)), b and b' with the zero
 * points folded in; c = clip(sigmoid(f) c + sigmoid(i) tanh(g)); h = zp + sigmoid(o) tanh(c), each
 * product requantised and saturated to its type. y holds h of every step.
 *
 * Exact: equals the reference of Lstm bit for bit. Scratch: none. The states are updated where they
 * lie; they, x and y are disjoint.
 */
#ifndef SMG_LSTM_Q_H
#define SMG_LSTM_Q_H

#include "smg_finish.h"
#include "smg_quanta.h"
#include "smg_sigmoid_s16.h"

typedef struct {
    int32_t mantissa, shift;
} smg_factor_t;

typedef struct {
    const SMG_ANY int8_t *weights;    /* [units][inputs] */
    const SMG_ANY int8_t *recurrent;  /* [units][units] */
    const SMG_ROM int32_t *bias;      /* for int8 */
    const SMG_ROM int32_t *back_bias; /* for int8 */
    const SMG_ROM int64_t *wide_bias; /* for int16 */
    smg_factor_t fed, back;
} smg_lstm_gate_t;

typedef struct {
    int32_t batches, steps, inputs, units;
    int32_t batch_stride, step_stride; /* in rows of x and y */
    int32_t hidden_zero_point, cell_clip;
    int32_t tanh_multiplier, tanh_shift;
    smg_factor_t keep, add, show;
    smg_lstm_gate_t input, forget, cell, output;
    const SMG_ROM uint16_t *sigmoid_table;
} smg_lstm_q_t;

SMG_INLINE int32_t smg_saturate16(int32_t x) {
    return smg_clamp(x, INT16_MIN, INT16_MAX);
}

SMG_INLINE int32_t smg_lstm_q_sum(const int8_t *weights, int32_t count, const void *x, int32_t bits,
                                  int32_t index, int64_t bias, smg_factor_t by) {
    const smg_run_t row = {x, bits, index, 0};
    const smg_run_t with = {weights, 8, 0, 0};
    const int64_t sum = smg_dot_runs(row, with, count) + bias;
    return smg_saturate16(bits == 16
                              ? smg_requantize_wide(sum, by.mantissa, by.shift)
                              : smg_requantize((int32_t)(uint32_t)sum, by.mantissa, by.shift));
}

/* One gate of one unit, Q3.12; x and h are rows that start at their indices. */
SMG_INLINE int32_t smg_lstm_q_gate(const smg_lstm_q_t *op, const smg_lstm_gate_t *gate,
                                   int32_t unit, int32_t bits, smg_run_t x, smg_run_t h) {
    const int64_t bias = bits == 16 ? gate->wide_bias[unit] : gate->bias[unit];
    const int64_t back_bias = bits == 16 ? 0 : gate->back_bias[unit];
    const int32_t fed = smg_lstm_q_sum(gate->weights + unit * op->inputs, op->inputs, x.quanta,
                                       bits, x.index, bias, gate->fed);
    const int32_t back = smg_lstm_q_sum(gate->recurrent + unit * op->units, op->units, h.quanta,
                                        bits, h.index, back_bias, gate->back);
    return smg_saturate16(fed + back);
}

SMG_INLINE int32_t smg_lstm_q_product(int32_t a, int32_t b, smg_factor_t by) {
    return smg_saturate16(smg_requantize(a * b, by.mantissa, by.shift));
}

/* The next cell state of one unit, from its gates i, f and g. */
SMG_INLINE int32_t smg_lstm_q_cell(const smg_lstm_q_t *op, int32_t cell, int32_t i, int32_t f,
                                   int32_t g) {
    const SMG_ROM uint16_t *table = op->sigmoid_table;
    const int32_t kept = smg_lstm_q_product(smg_sigmoid_s16(table, 3 * f), cell, op->keep);
    const int32_t added =
        smg_lstm_q_product(smg_sigmoid_s16(table, 3 * i), smg_tanh_s16(table, 3 * g), op->add);
    const int32_t next = smg_saturate16(kept + added);
    return op->cell_clip > 0 ? smg_clamp(next, -op->cell_clip, op->cell_clip) : next;
}

SMG_INLINE int32_t smg_lstm_q_hidden(const smg_lstm_q_t *op, int32_t cell, int32_t o) {
    const int32_t half = op->tanh_shift > 0 ? INT32_C(1) << (op->tanh_shift - 1) : 0;
    const int32_t scaled = (cell * op->tanh_multiplier + half) >> op->tanh_shift;
    const int32_t product =
        smg_tanh_s16(op->sigmoid_table, scaled) * smg_sigmoid_s16(op->sigmoid_table, 3 * o);
    return smg_requantize(product, op->show.mantissa, op->show.shift) + op->hidden_zero_point;
}

/* One step of one sequence: h is the last hidden state, y where the next one goes. */
SMG_INLINE void smg_lstm_q_step(const smg_lstm_q_t *op, int32_t bits, smg_run_t x, smg_run_t h,
                                void *y, int32_t at, int16_t *cell) {
    const int32_t low = bits == 16 ? INT16_MIN : INT8_MIN;
    const int32_t high = bits == 16 ? INT16_MAX : INT8_MAX;
    for (int32_t u = 0; u < op->units; ++u) {
        const int32_t i = smg_lstm_q_gate(op, &op->input, u, bits, x, h);
        const int32_t f = smg_lstm_q_gate(op, &op->forget, u, bits, x, h);
        const int32_t g = smg_lstm_q_gate(op, &op->cell, u, bits, x, h);
        const int32_t o = smg_lstm_q_gate(op, &op->output, u, bits, x, h);
        const int32_t next = smg_lstm_q_cell(op, cell[u], i, f, g);
        cell[u] = (int16_t)next;
        smg_store(y, bits, at + u, smg_clamp(smg_lstm_q_hidden(op, next, o), low, high));
    }
}

SMG_INLINE void smg_lstm_q(const smg_lstm_q_t *op, int32_t bits, const void *x, void *y,
                           void *hidden, int16_t *cell) {
    for (int32_t n = 0; n < op->batches; ++n) {
        smg_run_t last = {hidden, bits, n * op->units, 0};
        for (int32_t t = 0; t < op->steps; ++t) {
            const int32_t row = n * op->batch_stride + t * op->step_stride;
            const smg_run_t from = {x, bits, row * op->inputs, 0};
            smg_lstm_q_step(op, bits, from, last, y, row * op->units, cell + n * op->units);
            last.quanta = y;
            last.index = row * op->units;
        }
        for (int32_t u = 0; u < op->units; ++u) {
            smg_store(hidden, bits, n * op->units + u, smg_load(last.quanta, bits, last.index + u));
        }
    }
}

SMG_KERNEL void smg_lstm_q8(const smg_lstm_q_t *op, const int8_t *x, int8_t *y, int8_t *hidden,
                            int16_t *cell) {
    smg_lstm_q(op, 8, x, y, hidden, cell);
}

SMG_KERNEL void smg_lstm_q16(const smg_lstm_q_t *op, const int16_t *x, int16_t *y, int16_t *hidden,
                             int16_t *cell) {
    smg_lstm_q(op, 16, x, y, hidden, cell);
}

#endif
