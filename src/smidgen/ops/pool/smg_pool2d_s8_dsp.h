/* smg_average_pool2d_s8_dsp, smg_max_pool2d_s8_dsp: pooling on int8 for Arm cores with the DSP
 * extension, four channels at a time; .._2x2_.. for windows of that size without padding.
 *
 * As smg_pool2d_s8.h, for a number of channels that is a multiple of 4; average: for windows of at
 * most 255 pixels, whose sums fit in 16 bits. Exact: equals the references of AveragePool2D and
 * MaxPool2D bit for bit. Scratch: none. Four channels of an output pixel are written after all
 * their reads and before the reads of the next four: y may reach into x as far as
 * safe_conv_distance (ops/support/overlap.py) says. No alignment is asked of x and y.
 */
#ifndef SMG_POOL2D_S8_DSP_H
#define SMG_POOL2D_S8_DSP_H

#include "smg_dsp.h"
#include "smg_pool2d_s8.h"

/* The larger, or the smaller, of each of four bytes. */
SMG_INLINE int32_t smg_max_bytes(int32_t a, int32_t b) {
    int32_t larger;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b));
    return larger;
}

SMG_INLINE int32_t smg_min_bytes(int32_t a, int32_t b) {
    int32_t smaller;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b));
    return smaller;
}

SMG_INLINE int32_t smg_pool2d_mean(int32_t sum, int32_t count) {
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

SMG_INLINE int32_t smg_pool2d_four_bytes(int32_t even, int32_t odd) {
    return (int32_t)(((uint32_t)even & 0x00ff00ffu) | (((uint32_t)odd & 0x00ff00ffu) << 8));
}

/* Sums of four channels, as pairs. */
typedef struct {
    int32_t even, odd;
} smg_pool2d_sums_t;

SMG_INLINE smg_pool2d_sums_t smg_pool2d_add(smg_pool2d_sums_t sums, const int8_t *x) {
    const int32_t four = smg_load_word(x);
    sums.even = __sxtab16(sums.even, four);
    sums.odd = __sxtab16(sums.odd, smg_rotate_8(four));
    return sums;
}

SMG_INLINE int32_t smg_pool2d_means(smg_pool2d_sums_t sums, int32_t count) {
    const int32_t even = smg_pair(smg_pool2d_mean((int16_t)sums.even, count),
                                  smg_pool2d_mean(sums.even >> 16, count));
    const int32_t odd =
        smg_pair(smg_pool2d_mean((int16_t)sums.odd, count), smg_pool2d_mean(sums.odd >> 16, count));
    return smg_pool2d_four_bytes(even, odd);
}

/* Four channels over `rows` x `cols` pixels from x on. */
SMG_INLINE int32_t smg_pool2d_s8_dsp_four(const int8_t *x, int32_t rows, int32_t cols,
                                          int32_t row_step, int32_t step, bool average) {
    smg_pool2d_sums_t sums = {0, 0};
    int32_t largest = (int32_t)0x80808080u;
    SMG_ROLLED
    for (int32_t r = rows; r > 0; --r) {
        const int8_t *at = x;
        SMG_ROLLED
        for (int32_t c = cols; c > 0; --c) {
            if (average) {
                sums = smg_pool2d_add(sums, at);
            } else {
                largest = smg_max_bytes(largest, smg_load_word(at));
            }
            at += step;
        }
        x += row_step;
    }
    return average ? smg_pool2d_means(sums, rows * cols) : largest;
}

/* The same over 2 x 2 pixels. */
SMG_INLINE int32_t smg_pool2d_s8_dsp_2x2(const int8_t *x, int32_t row_step, int32_t step,
                                         bool average) {
    const int8_t *const below = x + row_step;
    if (average) {
        const smg_pool2d_sums_t none = {0, 0};
        const smg_pool2d_sums_t upper = smg_pool2d_add(smg_pool2d_add(none, x), x + step);
        return smg_pool2d_means(smg_pool2d_add(smg_pool2d_add(upper, below), below + step), 4);
    }
    const int32_t upper = smg_max_bytes(smg_load_word(x), smg_load_word(x + step));
    return smg_max_bytes(upper, smg_max_bytes(smg_load_word(below), smg_load_word(below + step)));
}

SMG_INLINE void smg_pool2d_s8_dsp(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y,
                                  bool average, bool two) {
    const int32_t step = op->channels, row_step = op->in_cols * step;
    const int32_t low = (op->low & 255) * 0x01010101, high = (op->high & 255) * 0x01010101;
    SMG_ROLLED
    for (int32_t r = 0; r < op->out_rows; ++r) {
        SMG_ROLLED
        for (int32_t c = 0; c < op->out_cols; ++c) {
            const smg_pool2d_span_t span = smg_pool2d_span(op, r, c);
            const int32_t rows = span.row_end - span.row, cols = span.col_end - span.col;
            const int8_t *at = x + span.row * row_step + span.col * step;
            SMG_ROLLED
            for (int32_t i = op->channels; i > 0; i -= 4) {
                int32_t four =
                    two ? smg_pool2d_s8_dsp_2x2(at, row_step, step, average)
                        : smg_pool2d_s8_dsp_four(at, rows, cols, row_step, step, average);
                four = smg_min_bytes(smg_max_bytes(four, low), high);
                memcpy(y, &four, sizeof four);
                at += 4;
                y += 4;
            }
        }
    }
}

SMG_KERNEL void smg_average_pool2d_s8_dsp(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_s8_dsp(op, x, y, true, false);
}

SMG_KERNEL void smg_average_pool2d_2x2_s8_dsp(const smg_pool2d_s8_t *op, const int8_t *x,
                                              int8_t *y) {
    smg_pool2d_s8_dsp(op, x, y, true, true);
}

SMG_KERNEL void smg_max_pool2d_s8_dsp(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_s8_dsp(op, x, y, false, false);
}

SMG_KERNEL void smg_max_pool2d_2x2_s8_dsp(const smg_pool2d_s8_t *op, const int8_t *x, int8_t *y) {
    smg_pool2d_s8_dsp(op, x, y, false, true);
}

#endif
