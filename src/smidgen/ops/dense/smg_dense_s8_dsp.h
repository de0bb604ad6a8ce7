/* smg_dense_s8_dsp: fully connected layer of one row on int8 for Arm cores with the DSP extension.
 *
 * y[o] = clamp(zp_y + requant(b'[o] + sum_i w[o,i] * x[i]))
 *
 * Exact: equals the reference of Dense bit for bit, for weights and scaling that
 * ops/support/columns.py packed in blocks of eight. Scratch: depth bytes if `inputs` is no multiple
 * of 4. x and y are disjoint.
 */
#ifndef SMG_DENSE_S8_DSP_H
#define SMG_DENSE_S8_DSP_H

#include "smg_dot_8x1_s8_dsp.h"
#include "smg_rolled.h"

typedef struct {
    int32_t inputs, depth; /* depth: inputs rounded up to a multiple of 4 */
    int32_t outputs;
    int32_t scale, addend, low, high;
    const int32_t *weights;
} smg_dense_s8_dsp_t;

SMG_KERNEL void smg_dense_s8_dsp(const smg_dense_s8_dsp_t *op, const int8_t *x, int8_t *y,
                                 uint8_t *scratch) {
    if (op->inputs != op->depth) {
        memset(scratch + op->depth - 4, 0, 4);
        memcpy(scratch, x, (size_t)op->inputs);
        x = (const int8_t *)scratch;
    }
    const int32_t rest = op->outputs & 7, most = op->outputs - rest;
    const int32_t *w = op->weights;
    if (most > 0) {
        w = smg_dot_8x1_s8_dsp(w, x, y, op->depth, y + most, op->scale, op->addend);
    }
    if (rest > 0) {
        int8_t last[8];
        (void)smg_dot_8x1_s8_dsp(w, x, last, op->depth, last + 8, op->scale, op->addend);
        memcpy(y + most, last, (size_t)rest);
    }
    if (op->low > -128 || op->high < 127) {
        SMG_ROLLED
        for (int32_t o = 0; o < op->outputs; ++o) {
            y[o] = (int8_t)smg_clamp(y[o], op->low, op->high);
        }
    }
}

#endif
