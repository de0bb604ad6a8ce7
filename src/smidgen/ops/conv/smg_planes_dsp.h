/* smg_planes_dsp: copies channels of an int8 image to planes of 16-bit values, in pairs down a
 * column, for smg_depthwise_s8_dsp.h.
 *
 * Values are kept as they are, or (`high`) 256 times: then a mask unpacks them, and the products
 * come scaled. Two rows of two channels cost 8 instructions.
 */
#ifndef SMG_PLANES_DSP_H
#define SMG_PLANES_DSP_H

#include "smg_dsp.h"

typedef struct {
    int32_t cols, row_step, col_step; /* of the image; bytes from one pixel to the next */
    int32_t lead, pairs, trail; /* rows of a column: one in a high half, pairs, one in a low half */
    int32_t column_words;       /* from one column of a plane to the next */
    int32_t plane_words;        /* from one plane to the next */
} smg_planes_t;

/* Two rows of two channels at %[x] to %[a] and %[b]. */
#define SMG_PLANES_ROWS(UNPACK)                                                                    \
    "ldrh %[u], [%[x]]\n\t"                                                                        \
    "ldrh %[v], [%[x], %[step]]\n\t"                                                               \
    "add %[x], %[x], %[step], lsl #1\n\t"                                                          \
    "orr %[u], %[u], %[v], lsl #16\n\t" UNPACK "str %[v], [%[a]], #4\n\t"                          \
    "str %[u], [%[b]], #4\n\t"
#define SMG_PLANES_HIGH                                                                            \
    "and %[v], %[mask], %[u], lsl #8\n\t"                                                          \
    "and %[u], %[u], %[mask]\n\t"
#define SMG_PLANES_LOW                                                                             \
    "sxtb16 %[v], %[u]\n\t"                                                                        \
    "sxtb16 %[u], %[u], ror #8\n\t"
#define SMG_PLANES_PAIRS(UNPACK)                                                                   \
    __asm__ volatile(                                                                              \
        "lsrs %[n], %[n], #1\n\t"                                                                  \
        "bcc 1f\n\t" SMG_PLANES_ROWS(UNPACK) "1:\n\t"                                              \
                                             "beq 3f\n\t"                                          \
                                             "2:\n\t" SMG_PLANES_ROWS(UNPACK)                      \
                                                 SMG_PLANES_ROWS(UNPACK) "subs %[n], %[n], #1\n\t" \
                                                                         "bne 2b\n\t"              \
                                                                         "3:"                      \
        : [n] "+&r"(n), [x] "+&r"(from), [a] "+&r"(a), [b] "+&r"(b), [u] "=&r"(u), [v] "=&r"(v)    \
        : [step] "r"(op->row_step), [mask] "r"(0xff00ff00u)                                        \
        : "cc", "memory")

/* One value as a half of a plane. */
SMG_INLINE smg_half_t smg_plane_value(int32_t value, bool high) {
    return (smg_half_t)(high ? 256 * value : value);
}

/* Two channels from x to two planes, from half `first` on; the padding around stays. */
SMG_INLINE void smg_planes_copy2(const smg_planes_t *op, const int8_t *x, smg_half_t *column,
                                 bool high) {
    SMG_ROLLED
    for (int32_t c = op->cols; c > 0; --c) {
        const int8_t *from = x;
        smg_half_t *half = column, *const other = column + 2 * op->plane_words;
        int32_t n = op->pairs, u, v;
        if (op->lead) {
            other[0] = smg_plane_value(from[1], high);
            *half++ = smg_plane_value(from[0], high);
            from += op->row_step;
        }
        smg_pair_t *a = (smg_pair_t *)(void *)half;
        smg_pair_t *b = (smg_pair_t *)(void *)(other + (half - column));
        if (high) {
            SMG_PLANES_PAIRS(SMG_PLANES_HIGH);
        } else {
            SMG_PLANES_PAIRS(SMG_PLANES_LOW);
        }
        if (op->trail) {
            *(smg_half_t *)(void *)a = smg_plane_value(from[0], high);
            *(smg_half_t *)(void *)b = smg_plane_value(from[1], high);
        }
        x += op->col_step;
        column += 2 * op->column_words;
    }
}

/* One channel from x to a plane. */
SMG_INLINE void smg_planes_copy1(const smg_planes_t *op, const int8_t *x, smg_half_t *column,
                                 bool high) {
    const int32_t step = op->row_step;
    SMG_ROLLED
    for (int32_t c = op->cols; c > 0; --c) {
        const int8_t *from = x;
        smg_half_t *half = column;
        if (op->lead) {
            *half++ = smg_plane_value(*from, high);
            from += step;
        }
        smg_pair_t *to = (smg_pair_t *)(void *)half;
        SMG_ROLLED
        for (int32_t n = op->pairs; n > 0; --n) {
            *to++ = smg_pair(smg_plane_value(from[0], high), smg_plane_value(from[step], high));
            from += 2 * step;
        }
        if (op->trail) {
            *(smg_half_t *)(void *)to = smg_plane_value(*from, high);
        }
        x += op->col_step;
        column += 2 * op->column_words;
    }
}

/* `count` channels, 1 or 2, to as many planes. */
#define SMG_PLANES_COPY(suffix, high)                                                              \
    SMG_SMALL static void smg_planes_copy_##suffix(const smg_planes_t *op, const int8_t *x,        \
                                                   smg_half_t *to, int32_t count) {                \
        if (count == 2) {                                                                          \
            smg_planes_copy2(op, x, to, high);                                                     \
        } else {                                                                                   \
            smg_planes_copy1(op, x, to, high);                                                     \
        }                                                                                          \
    }

SMG_PLANES_COPY(low, false)
SMG_PLANES_COPY(high, true)

#undef SMG_PLANES_COPY
#undef SMG_PLANES_PAIRS
#undef SMG_PLANES_HIGH
#undef SMG_PLANES_LOW
#undef SMG_PLANES_ROWS

#endif
