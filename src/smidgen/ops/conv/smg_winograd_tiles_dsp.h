/* smg_winograd_tiles_dsp: int8 images as tiles for Winograd's F(2x2, 3x3), on Arm cores with the
 * DSP extension.
 *
 * v[t] = B^T d[t] B for two tiles t of 4 x 4 pixels, two pixels apart in a window of 4 x 6:
 *
 *     B^T = | 1  0 -1  0 |
 *           | 0  1  1  0 |
 *           | 0 -1  1  0 |
 *           | 0  1  0 -1 |
 *
 * Exact: a place is the sum of four bytes, and fits 16 bits. Two channels share a word: (0,2),
 * (1,3), (4,6), ... The words of a place are [channels / 2][t]; places follow each other row by
 * row, `channels` words each. Channels are a multiple of 4; no alignment is asked of x.
 */
#ifndef SMG_WINOGRAD_TILES_DSP_H
#define SMG_WINOGRAD_TILES_DSP_H

#include "smg_dsp.h"

enum { SMG_WINOGRAD_COLS = 6 };

SMG_INLINE void smg_winograd_column(int32_t d0, int32_t d1, int32_t d2, int32_t d3,
                                    int32_t *column) {
    column[0 * SMG_WINOGRAD_COLS] = __ssub16(d0, d2);
    column[1 * SMG_WINOGRAD_COLS] = __sadd16(d1, d2);
    column[2 * SMG_WINOGRAD_COLS] = __ssub16(d2, d1);
    column[3 * SMG_WINOGRAD_COLS] = __ssub16(d1, d3);
}

/* One row of places of both tiles, from six columns; places are `step` words apart. */
SMG_INLINE void smg_winograd_row(const int32_t *d, int32_t step, int32_t *to) {
    to[0] = __ssub16(d[0], d[2]);
    to[1] = __ssub16(d[2], d[4]);
    to += step;
    to[0] = __sadd16(d[1], d[2]);
    to[1] = __sadd16(d[3], d[4]);
    to += step;
    to[0] = __ssub16(d[2], d[1]);
    to[1] = __ssub16(d[4], d[3]);
    to += step;
    to[0] = __ssub16(d[1], d[3]);
    to[1] = __ssub16(d[3], d[5]);
}

/* Both tiles of the window at x, whose rows are `row_bytes` apart. */
SMG_NOINLINE static void smg_winograd_tiles_dsp(const int8_t *x, int32_t row_bytes,
                                                int32_t channels, int32_t *to) {
    SMG_ROLLED
    for (int32_t c = 0; c < channels; c += 4, to += 4) {
        int32_t even[4 * SMG_WINOGRAD_COLS], odd[4 * SMG_WINOGRAD_COLS];
        const int8_t *from = x + c;
        SMG_ROLLED
        for (int32_t i = 0; i < SMG_WINOGRAD_COLS; ++i, from += channels) {
            const int32_t d0 = smg_load_word(from), d1 = smg_load_word(from + row_bytes);
            const int32_t d2 = smg_load_word(from + 2 * row_bytes);
            const int32_t d3 = smg_load_word(from + 3 * row_bytes);
            smg_winograd_column(smg_even_bytes(d0), smg_even_bytes(d1), smg_even_bytes(d2),
                                smg_even_bytes(d3), even + i);
            smg_winograd_column(smg_odd_bytes(d0), smg_odd_bytes(d1), smg_odd_bytes(d2),
                                smg_odd_bytes(d3), odd + i);
        }
        SMG_ROLLED
        for (int32_t i = 0; i < 4; ++i) {
            int32_t *const row = to + 4 * i * channels;
            smg_winograd_row(even + i * SMG_WINOGRAD_COLS, channels, row);
            smg_winograd_row(odd + i * SMG_WINOGRAD_COLS, channels, row + 2);
        }
    }
}

#endif
