/* smg_winograd_pixels_dsp: from sums of Winograd's F(2x2, 3x3) to pixels, on Arm cores with the DSP
 * extension.
 *
 * For outputs o from `first` up to `end`, with m the 4 x 4 places of sums, 8 words apart, outputs 2
 * words apart:
 *
 *     pixels[i] + o = scale(A^T m A)[i / 2, i % 2]        A^T = | 1  1  1  0 |
 *                                                               | 0  1 -1 -1 |
 *
 * to int8, for scale >= 0 (smg_scale.h); sums come as four times themselves. A line's scale is a
 * quarter of itself, and mantissas of scale 0 are 2 * mantissa - 2^32, for SMMLAR. Pixels are
 * written from the last to the first, so that the first of two at one place stays. Scratch: none.
 */
#ifndef SMG_WINOGRAD_PIXELS_DSP_H
#define SMG_WINOGRAD_PIXELS_DSP_H

#include "smg_asm.h"
#include "smg_scale.h"

/* Four places of one column of m, `at` bytes from r0: a = m0 + m1 + m2, b = m1 - m2 - m3. */
#define SMG_WINOGRAD_COLUMN(at, a, b, c, d)                                                        \
    "ldr " a ", [r0, #(" at ")]\n"                                                                 \
    "ldr " b ", [r0, #(" at " + 128)]\n"                                                           \
    "ldr " c ", [r0, #(" at " + 256)]\n"                                                           \
    "ldr " d ", [r0, #(" at " + 384)]\n"                                                           \
    "add " a ", " a ", " b "\n"                                                                    \
    "sub " b ", " b ", " c "\n"                                                                    \
    "add " a ", " a ", " c "\n"                                                                    \
    "sub " b ", " b ", " d "\n"

SMG_ASM_FUNCTION void smg_winograd_pixels_dsp(const int32_t *sums SMG_ASM_ARGUMENT,
                                              const int32_t *words SMG_ASM_ARGUMENT,
                                              int8_t *const pixels[4] SMG_ASM_ARGUMENT,
                                              const smg_scale_t *scale SMG_ASM_ARGUMENT,
                                              int32_t first SMG_ASM_ARGUMENT,
                                              int32_t end SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r11, lr}\n"
            "ldrd r12, lr, [sp, #36]\n"
            "ldm r2, {r4-r7}\n"
            "push {r4-r7}\n"
            "ldrd r2, r3, [r3]\n"
            "1:\n" /* r4 r8 = the upper pixels, r5 r9 = the lower ones */
            SMG_WINOGRAD_COLUMN("0", "r4", "r5", "r6", "r7") SMG_WINOGRAD_COLUMN(
                "32", "r8", "r9", "r10", "r11") "add r4, r4, r8\n"
                                                "add r5, r5, r9\n" SMG_WINOGRAD_COLUMN(
                                                    "64", "r6", "r7", "r10",
                                                    "r11") "add r4, r4, r6\n"
                                                           "add r5, r5, r7\n"
                                                           "sub r8, r8, r6\n"
                                                           "sub r9, r9, r7\n" SMG_WINOGRAD_COLUMN(
                                                               "96", "r6", "r7", "r10",
                                                               "r11") "sub r8, r8, r6\n"
                                                                      "sub r9, r9, r7\n"
                                                                      "cbz r2, 3f\n"
                                                                      "ldrd r6, r7, [r1], #8\n"
                                                                      "mla r4, r4, r2, r6\n"
                                                                      "mla r5, r5, r2, r6\n"
                                                                      "mla r8, r8, r2, r6\n"
                                                                      "mla r9, r9, r2, r6\n"
                                                                      "smmla r4, r4, r7, r3\n"
                                                                      "smmla r5, r5, r7, r3\n"
                                                                      "smmla r8, r8, r7, r3\n"
                                                                      "smmla r9, r9, r7, r3\n"
                                                                      "2:\n"
                                                                      "ldrd r6, r7, [sp]\n"
                                                                      "ldrd r10, r11, [sp, #8]\n"
                                                                      "ssat r4, #8, r4, asr #16\n"
                                                                      "ssat r5, #8, r5, asr #16\n"
                                                                      "ssat r8, #8, r8, asr #16\n"
                                                                      "ssat r9, #8, r9, asr #16\n"
                                                                      "strb r9, [r11, r12]\n"
                                                                      "strb r5, [r10, r12]\n"
                                                                      "strb r8, [r7, r12]\n"
                                                                      "strb r4, [r6, r12]\n"
                                                                      "adds r0, #8\n"
                                                                      "add r12, r12, #1\n"
                                                                      "cmp r12, lr\n"
                                                                      "bne 1b\n"
                                                                      "add sp, #16\n"
                                                                      "pop {r4-r11, pc}\n"
                                                                      "3:\n" /* scale = 0 */
                                                                      "ldm r1!, {r6, r7, r10}\n"
                                                                      "add r4, r6, r4, asr #2\n"
                                                                      "add r5, r6, r5, asr #2\n"
                                                                      "add r8, r6, r8, asr #2\n"
                                                                      "add r9, r6, r9, asr #2\n"
                                                                      "smmlar r4, r4, r7, r4\n"
                                                                      "smmlar r5, r5, r7, r5\n"
                                                                      "smmlar r8, r8, r7, r8\n"
                                                                      "smmlar r9, r9, r7, r9\n"
                                                                      "add r4, r4, r4, asr #31\n"
                                                                      "add r5, r5, r5, asr #31\n"
                                                                      "add r8, r8, r8, asr #31\n"
                                                                      "add r9, r9, r9, asr #31\n"
                                                                      "mla r4, r4, r10, r3\n"
                                                                      "mla r5, r5, r10, r3\n"
                                                                      "mla r8, r8, r10, r3\n"
                                                                      "mla r9, r9, r10, r3\n"
                                                                      "b 2b\n");
}

#undef SMG_WINOGRAD_COLUMN

/* The same for scale < 0, the reference's own arithmetic. */
SMG_NOINLINE static void smg_winograd_pixels_general(const int32_t *sums, const int32_t *words,
                                                     int8_t *const pixels[4],
                                                     const smg_scale_t *scale, int32_t first,
                                                     int32_t end) {
    for (int32_t o = first; o < end; ++o, sums += 2, words += 3) {
        uint32_t rows[2][4];
        for (int32_t i = 0; i < 4; ++i) {
            const int32_t *const m = sums + 8 * i;
            const uint32_t m1 = (uint32_t)m[32], m2 = (uint32_t)m[64];
            rows[0][i] = (uint32_t)m[0] + m1 + m2;
            rows[1][i] = m1 - m2 - (uint32_t)m[96];
        }
        for (int32_t i = 1; i >= 0; --i) {
            const uint32_t right = rows[i][1] - rows[i][2] - rows[i][3];
            const uint32_t left = rows[i][0] + rows[i][1] + rows[i][2];
            pixels[2 * i + 1][o] = smg_scale_steps(scale, words, (int32_t)right >> 2);
            pixels[2 * i][o] = smg_scale_steps(scale, words, (int32_t)left >> 2);
        }
    }
}

#endif
