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
 * row, `channels` words each.
 *
 * Four channels at a time: six columns of the window, to 48 words on the stack, then four rows of
 * them, channels (1,3) and then (0,2). Scratch: none. Channels are a multiple of 4; no alignment is
 * asked of x.
 */
#ifndef SMG_WINOGRAD_TILES_DSP_H
#define SMG_WINOGRAD_TILES_DSP_H

#include "smg.h"
#include "smg_asm.h"

enum { SMG_WINOGRAD_COLS = 6 };

/* B^T times a column d0..d3 in a, b, c, d: a, t, c, d. */
#define SMG_WINOGRAD_COLUMN(a, b, c, d, t)                                                         \
    "ssub16 " a ", " a ", " c "\n"                                                                 \
    "sadd16 " t ", " b ", " c "\n"                                                                 \
    "ssub16 " c ", " c ", " b "\n"                                                                 \
    "ssub16 " d ", " b ", " d "\n"

/* Both tiles of a row, from words `from` bytes up the stack to words `to` bytes up from r3, which
 * goes on by three places. */
#define SMG_WINOGRAD_ROW(from, to)                                                                 \
    "ldr r4, [lr, #(" from ")]\n"                                                                  \
    "ldr r5, [lr, #(" from " + 32)]\n"                                                             \
    "ldr r6, [lr, #(" from " + 64)]\n"                                                             \
    "ldr r7, [lr, #(" from " + 96)]\n"                                                             \
    "ldr r8, [lr, #(" from " + 128)]\n"                                                            \
    "ldr r9, [lr, #(" from " + 160)]\n"                                                            \
    "ssub16 r4, r4, r6\n"                                                                          \
    "ssub16 r10, r6, r8\n"                                                                         \
    "strd r4, r10, [r3, #" to "]\n"                                                                \
    "add r3, r3, r12\n"                                                                            \
    "sadd16 r4, r5, r6\n"                                                                          \
    "sadd16 r10, r7, r8\n"                                                                         \
    "strd r4, r10, [r3, #" to "]\n"                                                                \
    "add r3, r3, r12\n"                                                                            \
    "ssub16 r4, r6, r5\n"                                                                          \
    "ssub16 r10, r8, r7\n"                                                                         \
    "strd r4, r10, [r3, #" to "]\n"                                                                \
    "add r3, r3, r12\n"                                                                            \
    "ssub16 r4, r5, r7\n"                                                                          \
    "ssub16 r10, r7, r9\n"                                                                         \
    "strd r4, r10, [r3, #" to "]\n"

/* Both tiles of the window at x, whose rows are `row_bytes` apart. */
SMG_ASM_FUNCTION void smg_winograd_tiles_dsp(const int8_t *x SMG_ASM_ARGUMENT,
                                             int32_t row_bytes SMG_ASM_ARGUMENT,
                                             int32_t channels SMG_ASM_ARGUMENT,
                                             int32_t *to SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r11, lr}\n"
            "sub sp, #204\n"
            /* sp: 192 x, 196 its end, 200 to; r1 and r2 stay as they came */
            "add r4, r0, r2\n"
            "str r4, [sp, #196]\n"
            "str r3, [sp, #200]\n"
            "1:\n"
            "str r0, [sp, #192]\n"
            "mov lr, sp\n"
            "2:\n"
            "ldr r3, [r0]\n"
            "ldr r12, [r0, r1]\n"
            "ldr r5, [r0, r1, lsl #1]\n"
            "add r4, r0, r1\n"
            "ldr r6, [r4, r1, lsl #1]\n"
            "sxtb16 r7, r3\n"
            "sxtb16 r11, r12\n"
            "sxtb16 r9, r5\n"
            "sxtb16 r10, r6\n" SMG_WINOGRAD_COLUMN(
                "r7", "r11", "r9", "r10",
                "r8") "sxtb16 r3, r3, ror #8\n"
                      "sxtb16 r12, r12, ror #8\n"
                      "sxtb16 r5, r5, ror #8\n"
                      "sxtb16 r6, r6, ror #8\n" SMG_WINOGRAD_COLUMN(
                          "r3", "r12", "r5", "r6",
                          "r4") "stm lr!, {r3-r10}\n"
                                "add r0, r0, r2\n"
                                "add r3, sp, #192\n"
                                "cmp lr, r3\n"
                                "bne 2b\n"
                                "ldr r3, [sp, #200]\n"
                                "lsls r12, r2, #2\n"
                                "mov lr, sp\n"
                                "add r11, sp, #16\n"
                                "3:\n" SMG_WINOGRAD_ROW(
                                    "0", "8") "sub r3, r3, r12, lsl #1\n"
                                              "sub r3, r3, r12\n" SMG_WINOGRAD_ROW(
                                                  "16", "0") "add r3, r3, r12\n"
                                                             "add lr, lr, #4\n"
                                                             "cmp lr, r11\n"
                                                             "bne 3b\n"
                                                             "ldrd r0, r4, [sp, #192]\n"
                                                             "ldr r3, [sp, #200]\n"
                                                             "adds r0, #4\n"
                                                             "adds r3, #16\n"
                                                             "str r3, [sp, #200]\n"
                                                             "cmp r0, r4\n"
                                                             "bne 1b\n"
                                                             "add sp, #204\n"
                                                             "pop {r4-r11, pc}\n");
}

#undef SMG_WINOGRAD_COLUMN
#undef SMG_WINOGRAD_ROW

#endif
