/* smg_columns_dsp: columns of bytes for smg_dot_4x2_s8_dsp.
 *
 * For each four values a[0..3], b[0..3]: the words a(0,2) b(0,2) a(1,3) b(1,3), 16 bits each.
 * No alignment is asked of a and b.
 */
#ifndef SMG_COLUMNS_DSP_H
#define SMG_COLUMNS_DSP_H

#include "smg_dsp.h"

/* `count` values, a multiple of 4 and at least 4, of each column; returns the end of the words. */
SMG_NOINLINE static int32_t *smg_columns_dsp(const int8_t *a, const int8_t *b, int32_t count,
                                             int32_t *to) {
    const int8_t *const end = a + count;
    do {
        const int32_t p = smg_load_word(a), q = smg_load_word(b);
        to[0] = smg_even_bytes(p);
        to[1] = smg_even_bytes(q);
        to[2] = smg_odd_bytes(p);
        to[3] = smg_odd_bytes(q);
        a += 4;
        b += 4;
        to += 4;
    } while (a != end);
    return to;
}

#endif
