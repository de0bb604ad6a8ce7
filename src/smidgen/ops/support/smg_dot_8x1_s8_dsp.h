/* smg_dot_8x1_s8_dsp: the inner kernel of fully connected layers on Arm cores with the DSP
 * extension.
 *
 * y[o] = clamp(requant(sum_k w[o][k] * x[k])) to int8, eight outputs at a time.
 *
 * x is bytes. Weights are pairs of outputs in one word, and requantised, as smg_dot_4x2_s8_dsp.h
 * says, but in blocks of eight outputs. Four k and eight outputs cost 16 SMLAD, 10 SXTB16, 4 LDRD
 * and an LDR for 32 products: 0.97 instructions each, and 1.02 with the loop; a weight is used once
 * only, so that loading and unpacking weighs more than with two columns.
 *
 * Aligned to 4: weights. x is read before anything is written if all outputs are one block.
 */
#ifndef SMG_DOT_8X1_S8_DSP_H
#define SMG_DOT_8X1_S8_DSP_H

#include "smg.h"
#include "smg_asm.h"

/* Two k in r10 or r11: r2 = output 0, r3 = 256 * output 1 + output 0, and so on. */
#define SMG_DOT_8X1_PAIRS(x, even0, odd0, even1, odd1)                                             \
    "ldrd r12, lr, [r0], #8\n"                                                                     \
    "smlad " odd0 ", r12, " x ", " odd0 "\n"                                                       \
    "sxtb16 r12, r12\n"                                                                            \
    "smlad " odd1 ", lr, " x ", " odd1 "\n"                                                        \
    "sxtb16 lr, lr\n"                                                                              \
    "smlad " even0 ", r12, " x ", " even0 "\n"                                                     \
    "smlad " even1 ", lr, " x ", " even1 "\n"
#define SMG_DOT_8X1_STEP                                                                           \
    "ldr r10, [r1], #4\n"                                                                          \
    "sxtb16 r11, r10, ror #8\n"                                                                    \
    "sxtb16 r10, r10\n" SMG_DOT_8X1_PAIRS("r10", "r2", "r3", "r4", "r5")                           \
        SMG_DOT_8X1_PAIRS("r10", "r6", "r7", "r8", "r9")                                           \
            SMG_DOT_8X1_PAIRS("r11", "r2", "r3", "r4", "r5")                                       \
                SMG_DOT_8X1_PAIRS("r11", "r6", "r7", "r8", "r9")
/* Four outputs in the high halves to y. */
#define SMG_DOT_8X1_STORE(a, b, c, d)                                                              \
    "pkhtb " a ", " c ", " a ", asr #16\n"                                                         \
    "pkhtb " b ", " d ", " b ", asr #16\n"                                                         \
    "usat16 " a ", #8, " a "\n"                                                                    \
    "usat16 " b ", #8, " b "\n"                                                                    \
    "orr " a ", " a ", " b ", lsl #8\n"                                                            \
    "eor " a ", " a ", #0x80808080\n"                                                              \
    "str " a ", [r10], #4\n"

/* Outputs y up to y_end, a multiple of 8 many, from weights w and x[0..depth), a multiple of 4.
 * Returns the weights that follow. */
SMG_ASM_FUNCTION const int32_t *
smg_dot_8x1_s8_dsp(const int32_t *w SMG_ASM_ARGUMENT, const int8_t *x SMG_ASM_ARGUMENT,
                   int8_t *y SMG_ASM_ARGUMENT, int32_t depth SMG_ASM_ARGUMENT,
                   const int8_t *y_end SMG_ASM_ARGUMENT, int32_t scale SMG_ASM_ARGUMENT,
                   int32_t addend SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r0-r11, lr}\n"
            /* sp: 0 scale / 256, 4 x, 8 y, 12 depth then end of x, 52 y_end, 56 scale, 60 addend */
            "adds r5, r1, r3\n"
            "str r5, [sp, #12]\n"
            "ldr r4, [sp, #56]\n"
            "asrs r4, r4, #8\n"
            "str r4, [sp]\n"
            "1:\n"
            "ldrd r1, r10, [sp, #4]\n"
            "ldr r11, [sp, #12]\n"
            "subs r11, r11, r1\n"
            "movs r2, #0\n"
            "movs r3, #0\n"
            "movs r4, #0\n"
            "movs r5, #0\n"
            "movs r6, #0\n"
            "movs r7, #0\n"
            "mov r8, r2\n"
            "mov r9, r2\n"
            "tst r11, #4\n"
            "bne 3f\n"
            "2:\n" SMG_DOT_8X1_STEP "3:\n" SMG_DOT_8X1_STEP "ldr r10, [sp, #12]\n"
            "cmp r1, r10\n"
            "bne 2b\n"
            "ldr r1, [sp, #56]\n"
            "subs r3, r3, r2\n"
            "subs r5, r5, r4\n"
            "subs r7, r7, r6\n"
            "sub r9, r9, r8\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "cmp r1, #0\n"
            "bne 4f\n"
            /* scale = 0 */
            "add r2, r2, r10\n"
            "add r3, r11, r3, asr #8\n"
            "add r4, r4, r12\n"
            "add r5, lr, r5, asr #8\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "add r6, r6, r10\n"
            "add r7, r11, r7, asr #8\n"
            "add r8, r8, r12\n"
            "add r9, lr, r9, asr #8\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "smmlar r2, r2, r10, r2\n"
            "smmlar r3, r3, r11, r3\n"
            "smmlar r4, r4, r12, r4\n"
            "smmlar r5, r5, lr, r5\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "smmlar r6, r6, r10, r6\n"
            "smmlar r7, r7, r11, r7\n"
            "smmlar r8, r8, r12, r8\n"
            "smmlar r9, r9, lr, r9\n"
            "ldr r1, [sp, #60]\n"
            "add r2, r2, r2, asr #31\n"
            "add r3, r3, r3, asr #31\n"
            "add r4, r4, r4, asr #31\n"
            "add r5, r5, r5, asr #31\n"
            "add r6, r6, r6, asr #31\n"
            "add r7, r7, r7, asr #31\n"
            "add r8, r8, r8, asr #31\n"
            "add r9, r9, r9, asr #31\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "mla r2, r2, r10, r1\n"
            "mla r3, r3, r11, r1\n"
            "mla r4, r4, r12, r1\n"
            "mla r5, r5, lr, r1\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "mla r6, r6, r10, r1\n"
            "mla r7, r7, r11, r1\n"
            "mla r8, r8, r12, r1\n"
            "mla r9, r9, lr, r1\n"
            "b 5f\n"
            "4:\n" /* scale > 0 */
            "mla r2, r2, r1, r10\n"
            "mla r4, r4, r1, r12\n"
            "ldr r1, [sp]\n"
            "mla r3, r3, r1, r11\n"
            "mla r5, r5, r1, lr\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "mla r7, r7, r1, r11\n"
            "mla r9, r9, r1, lr\n"
            "ldr r1, [sp, #56]\n"
            "mla r6, r6, r1, r10\n"
            "mla r8, r8, r1, r12\n"
            "ldr r1, [sp, #60]\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "smmla r2, r2, r10, r1\n"
            "smmla r3, r3, r11, r1\n"
            "smmla r4, r4, r12, r1\n"
            "smmla r5, r5, lr, r1\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "smmla r6, r6, r10, r1\n"
            "smmla r7, r7, r11, r1\n"
            "smmla r8, r8, r12, r1\n"
            "smmla r9, r9, lr, r1\n"
            "5:\n" /* the outputs are in the high halves */
            "ldr r10, [sp, #8]\n"
            "ldr r12, [sp, #52]\n" SMG_DOT_8X1_STORE("r2", "r3", "r4", "r5")
                SMG_DOT_8X1_STORE("r6", "r7", "r8", "r9") "str r10, [sp, #8]\n"
                                                          "cmp r10, r12\n"
                                                          "bne 1b\n"
                                                          "add sp, #16\n"
                                                          "pop {r4-r11, pc}\n");
}

#undef SMG_DOT_8X1_PAIRS
#undef SMG_DOT_8X1_STEP
#undef SMG_DOT_8X1_STORE

#endif
