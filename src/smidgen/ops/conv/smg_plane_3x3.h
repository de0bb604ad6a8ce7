/* smg_plane_3x3: four sums of a 3x3 window down a column of a plane of bytes, on RISC-V.
 *
 * The nine weights stay in registers, where a compiler would spill them. Each value of the plane is
 * loaded once for each of the window's columns, and serves up to three sums: at stride 1, 36
 * products cost 18 loads, 36 multiplications, 32 additions and 2 steps: 2.44 instructions for each.
 */
#ifndef SMG_PLANE_3X3_H
#define SMG_PLANE_3X3_H

#include "smg.h"

#if defined(__riscv_mul) && !defined(__riscv_e) && !defined(__riscv_32e)
#define SMG_PLANE_KEEPS_WEIGHTS true

/* Load the value of a row; multiply it with a weight, to a sum or to add it to one. */
#define SMG_PLANE_ROW(row) "lbu %[t], " #row "(%[x])\n\t"
#define SMG_PLANE_SET(sum, weight) "mul %[" #sum "], %[t], %[" weight "]\n\t"
#define SMG_PLANE_ADD(sum, weight)                                                                 \
    "mul %[p], %[t], %[" weight "]\n\t"                                                            \
    "add %[" #sum "], %[" #sum "], %[p]\n\t"

/* clang-format off */
/* One column of the window, whose weights are u, v and w; FIRST is SET in the first column. */
#define SMG_PLANE_COLUMN_1(FIRST, u, v, w)                                                         \
    SMG_PLANE_ROW(0) FIRST(a, u)                                                                   \
    SMG_PLANE_ROW(1) SMG_PLANE_ADD(a, v) FIRST(b, u)                                               \
    SMG_PLANE_ROW(2) SMG_PLANE_ADD(a, w) SMG_PLANE_ADD(b, v) FIRST(c, u)                           \
    SMG_PLANE_ROW(3) SMG_PLANE_ADD(b, w) SMG_PLANE_ADD(c, v) FIRST(d, u)                           \
    SMG_PLANE_ROW(4) SMG_PLANE_ADD(c, w) SMG_PLANE_ADD(d, v)                                       \
    SMG_PLANE_ROW(5) SMG_PLANE_ADD(d, w)
#define SMG_PLANE_COLUMN_2(FIRST, u, v, w)                                                         \
    SMG_PLANE_ROW(0) FIRST(a, u)                                                                   \
    SMG_PLANE_ROW(1) SMG_PLANE_ADD(a, v)                                                           \
    SMG_PLANE_ROW(2) SMG_PLANE_ADD(a, w) FIRST(b, u)                                               \
    SMG_PLANE_ROW(3) SMG_PLANE_ADD(b, v)                                                           \
    SMG_PLANE_ROW(4) SMG_PLANE_ADD(b, w) FIRST(c, u)                                               \
    SMG_PLANE_ROW(5) SMG_PLANE_ADD(c, v)                                                           \
    SMG_PLANE_ROW(6) SMG_PLANE_ADD(c, w) FIRST(d, u)                                               \
    SMG_PLANE_ROW(7) SMG_PLANE_ADD(d, v)                                                           \
    SMG_PLANE_ROW(8) SMG_PLANE_ADD(d, w)
#define SMG_PLANE_3X3(COLUMN)                                                                      \
    __asm__(COLUMN(SMG_PLANE_SET, "w0", "w1", "w2") "add %[x], %[x], %[step]\n\t"                  \
            COLUMN(SMG_PLANE_ADD, "w3", "w4", "w5") "add %[x], %[x], %[step]\n\t"                  \
            COLUMN(SMG_PLANE_ADD, "w6", "w7", "w8")                                                \
            : [a] "=&r"(sums[0]), [b] "=&r"(sums[1]), [c] "=&r"(sums[2]), [d] "=&r"(sums[3]),      \
              [t] "=&r"(value), [p] "=&r"(product), [x] "+&r"(x)                                   \
            : [step] "r"(window), [w0] "r"(w[0]), [w1] "r"(w[1]), [w2] "r"(w[2]), [w3] "r"(w[3]),  \
              [w4] "r"(w[4]), [w5] "r"(w[5]), [w6] "r"(w[6]), [w7] "r"(w[7]), [w8] "r"(w[8])       \
            : "memory")
/* clang-format on */

/* Sums at x, x + stride, x + 2 stride and x + 3 stride, for a stride of 1 or 2. `w` is
 * [column][row]; `window` is the distance of its columns in the plane. */
SMG_INLINE void smg_plane_sums_3x3(const uint8_t *x, const int32_t w[9], int32_t stride,
                                   int32_t window, int32_t sums[4]) {
    int32_t value, product;
    if (stride == 1) {
        SMG_PLANE_3X3(SMG_PLANE_COLUMN_1);
    } else {
        SMG_PLANE_3X3(SMG_PLANE_COLUMN_2);
    }
}

#undef SMG_PLANE_3X3
#undef SMG_PLANE_COLUMN_2
#undef SMG_PLANE_COLUMN_1
#undef SMG_PLANE_ADD
#undef SMG_PLANE_SET
#undef SMG_PLANE_ROW

#else
#define SMG_PLANE_KEEPS_WEIGHTS false

SMG_INLINE void smg_plane_sums_3x3(const uint8_t *x, const int32_t w[9], int32_t stride,
                                   int32_t window, int32_t sums[4]) {
    for (int32_t o = 0; o < 4; ++o) {
        sums[o] = 0;
        for (int32_t i = 0; i < 9; ++i) {
            sums[o] += w[i] * x[o * stride + i / 3 * window + i % 3];
        }
    }
}

#endif

#endif
