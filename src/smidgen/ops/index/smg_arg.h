/* smg_argmax, smg_argmin: where the largest or smallest of int8 or floats is along an axis.
 *
 * Of equal ones the first. Exact: equals the references of ArgMax and ArgMin. Scratch: none. x and
 * y are disjoint.
 */
#ifndef SMG_ARG_H
#define SMG_ARG_H

#include "smg.h"

typedef struct {
    int32_t outer, extent, inner;
} smg_arg_t;

SMG_KERNEL void smg_argmax_s8(const smg_arg_t *op, const int8_t *x, int32_t *y) {
    for (int32_t o = 0; o < op->outer; ++o) {
        for (int32_t i = 0; i < op->inner; ++i) {
            const int8_t *column = x + o * op->extent * op->inner + i;
            int32_t best = 0;
            for (int32_t at = 1; at < op->extent; ++at) {
                best = column[at * op->inner] > column[best * op->inner] ? at : best;
            }
            *y++ = best;
        }
    }
}

SMG_KERNEL void smg_argmax_f32(const smg_arg_t *op, const float *x, int32_t *y) {
    for (int32_t o = 0; o < op->outer; ++o) {
        for (int32_t i = 0; i < op->inner; ++i) {
            const float *column = x + o * op->extent * op->inner + i;
            int32_t best = 0;
            for (int32_t at = 1; at < op->extent; ++at) {
                best = column[at * op->inner] > column[best * op->inner] ? at : best;
            }
            *y++ = best;
        }
    }
}

SMG_KERNEL void smg_argmin_s8(const smg_arg_t *op, const int8_t *x, int32_t *y) {
    for (int32_t o = 0; o < op->outer; ++o) {
        for (int32_t i = 0; i < op->inner; ++i) {
            const int8_t *column = x + o * op->extent * op->inner + i;
            int32_t best = 0;
            for (int32_t at = 1; at < op->extent; ++at) {
                best = column[at * op->inner] < column[best * op->inner] ? at : best;
            }
            *y++ = best;
        }
    }
}

SMG_KERNEL void smg_argmin_f32(const smg_arg_t *op, const float *x, int32_t *y) {
    for (int32_t o = 0; o < op->outer; ++o) {
        for (int32_t i = 0; i < op->inner; ++i) {
            const float *column = x + o * op->extent * op->inner + i;
            int32_t best = 0;
            for (int32_t at = 1; at < op->extent; ++at) {
                best = column[at * op->inner] < column[best * op->inner] ? at : best;
            }
            *y++ = best;
        }
    }
}

#endif
