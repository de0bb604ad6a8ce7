/* smg_dot_4x2_s16_dsp: the inner kernel of convolutions with few products, for Arm cores with the
 * DSP extension: weights are 16-bit values, ready for SMLAD.
 *
 * u = start[o] + sum_k w'[o][k] * x'[p][k], y[p][o] = ((u * slope[o] >> 32) + addend) >> 16,
 * saturated to 0..255, minus 128; two columns p, four outputs o at a time.
 *
 * Here x' is 256 times the input and w' the weight times what remains of the scale of the line that
 * ops/support/line.py found, so that sums come scaled, and begin at the line's intercept: an output
 * takes one SMMLA, and half of the packing of two. That is what counts where products are few.
 * Against smg_dot_4x2_s8_dsp the weights take twice the flash.
 *
 * Four outputs lie as: four starts; for each pair of k the weights of the four, one word each; four
 * slopes. Columns are as in smg_columns_dsp.h (256 times). A pair of k costs 8 SMLAD and 3 LDRD for
 * 16 products: 0.69 each; what else four by two outputs cost is 35 instructions, 4.4 for each.
 *
 * Pairs of pixels are made one after the other, each from x (`widen` bytes of each pixel, a
 * multiple of 4), or from columns that are there already (`widen` 0). A pair is read as a whole
 * before its outputs are written. Aligned to 4: weights and columns. At least two pairs of k.
 */
#ifndef SMG_DOT_4X2_S16_DSP_H
#define SMG_DOT_4X2_S16_DSP_H

#include "smg.h"
#include "smg_asm.h"

typedef struct {
    const int32_t *weights;
    int32_t widen;     /* bytes of a pixel */
    int32_t entry;     /* where the loop is entered: ((1 - pairs of k) & 7) * 44 + 1 */
    int32_t x_bytes;   /* of the columns: 8 for each pair of k */
    int32_t out_bytes; /* outputs of a pixel, a multiple of 4 */
    int32_t y_step;    /* from the outputs of a pixel to those of the next */
    int32_t x_step;    /* from one pixel to the next */
    int32_t addend;
} smg_dot_4x2_s16_t;

/* A pair of k: r2, r3 = output 0 of columns 0 and 1, r4, r5 = output 1, and so on. */
#define SMG_DOT_4X2_S16_STEP                                                                       \
    "ldrd r10, r11, [r1], #8\n"                                                                    \
    "ldrd r12, lr, [r0], #8\n"                                                                     \
    "smlad r2, r12, r10, r2\n"                                                                     \
    "smlad r3, r12, r11, r3\n"                                                                     \
    "smlad r4, lr, r10, r4\n"                                                                      \
    "smlad r5, lr, r11, r5\n"                                                                      \
    "ldrd r12, lr, [r0], #8\n"                                                                     \
    "smlad r6, r12, r10, r6\n"                                                                     \
    "smlad r7, r12, r11, r7\n"                                                                     \
    "smlad r8, lr, r10, r8\n"                                                                      \
    "smlad r9, lr, r11, r9\n"
/* Four values of pixels at r1 and r2 to the columns at r3; r11 = 0xff00ff00. */
#define SMG_DOT_4X2_S16_WIDEN                                                                      \
    "ldr r8, [r1], #4\n"                                                                           \
    "ldr r9, [r2], #4\n"                                                                           \
    "and.w r6, r11, r8, lsl #8\n"                                                                  \
    "and.w r7, r11, r9, lsl #8\n"                                                                  \
    "and.w r8, r8, r11\n"                                                                          \
    "and.w r9, r9, r11\n"                                                                          \
    "stm r3!, {r6-r9}\n"
/* Four outputs in the high halves to `y`. */
#define SMG_DOT_4X2_S16_STORE(a, b, c, d, y)                                                       \
    "pkhtb " a ", " c ", " a ", asr #16\n"                                                         \
    "pkhtb " b ", " d ", " b ", asr #16\n"                                                         \
    "usat16 " a ", #8, " a "\n"                                                                    \
    "usat16 " b ", #8, " b "\n"                                                                    \
    "orr " a ", " a ", " b ", lsl #8\n"                                                            \
    "eor " a ", " a ", #0x80808080\n"                                                              \
    "str " a ", [" y "], #4\n"

/* `pairs` pairs of pixels, from pixels at x or from the columns. */
SMG_ASM_FUNCTION void smg_dot_4x2_s16_dsp(const smg_dot_4x2_s16_t *plan SMG_ASM_ARGUMENT,
                                          const int8_t *x SMG_ASM_ARGUMENT,
                                          int8_t *y SMG_ASM_ARGUMENT,
                                          int32_t *columns SMG_ASM_ARGUMENT,
                                          int32_t pairs SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r11, lr}\n"
            "sub sp, #40\n"
            /* sp: 0 end of columns, 4 entry, 8 columns, 12 y0, 16 y1, 20 end of y0, 24 plan, 28 x,
             * 32 y, 36 addend, 76 pairs */
            "ldrd r5, r6, [r0, #8]\n"
            "adr.w r4, 2f\n"
            "add r5, r4\n"
            "add r6, r3\n"
            "strd r6, r5, [sp]\n"
            "str r3, [sp, #8]\n"
            "strd r0, r1, [sp, #24]\n"
            "ldr r4, [r0, #28]\n"
            "strd r2, r4, [sp, #32]\n"
            "0:\n"
            "ldrd r0, r1, [sp, #24]\n"
            "ldr r2, [sp, #32]\n"
            "ldm r0, {r4-r10}\n"
            "mov r0, r4\n"
            "add r8, r2\n"
            "str r8, [sp, #20]\n"
            "add r8, r2, r9\n"
            "strd r2, r8, [sp, #12]\n"
            "add r8, r9\n"
            "str r8, [sp, #32]\n"
            "cbz r5, 1f\n"
            "ldr r3, [sp, #8]\n"
            "add r2, r1, r10\n"
            "add r6, r2, r10\n"
            "str r6, [sp, #28]\n"
            "mov r11, #0xff00ff00\n"
            "lsls r6, r5, #29\n"
            "add r5, r1\n"
            "bne 6f\n"
            "5:\n" SMG_DOT_4X2_S16_WIDEN "6:\n" SMG_DOT_4X2_S16_WIDEN "cmp r1, r5\n"
            "bne 5b\n"
            "1:\n"
            "ldr r1, [sp, #8]\n"
            "ldm r0!, {r3, r5, r7, r9}\n"
            "ldrd r10, r11, [r1], #8\n"
            "ldrd r12, lr, [r0], #8\n"
            "smlad r2, r12, r10, r3\n"
            "smlad r3, r12, r11, r3\n"
            "smlad r4, lr, r10, r5\n"
            "smlad r5, lr, r11, r5\n"
            "ldrd r12, lr, [r0], #8\n"
            "smlad r6, r12, r10, r7\n"
            "smlad r7, r12, r11, r7\n"
            "smlad r8, lr, r10, r9\n"
            "smlad r9, lr, r11, r9\n"
            "ldr pc, [sp, #4]\n"
            ".p2align 2\n"
            "2:\n"
            ".rept 8\n" SMG_DOT_4X2_S16_STEP ".endr\n"
            "ldr r10, [sp]\n"
            "cmp r1, r10\n"
            "bne 2b\n"
            "ldr r1, [sp, #36]\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "smmla r2, r2, r10, r1\n"
            "smmla r3, r3, r10, r1\n"
            "smmla r4, r4, r11, r1\n"
            "smmla r5, r5, r11, r1\n"
            "smmla r6, r6, r12, r1\n"
            "smmla r7, r7, r12, r1\n"
            "smmla r8, r8, lr, r1\n"
            "smmla r9, r9, lr, r1\n"
            "ldrd r10, r11, [sp, #12]\n"
            "ldr r12, [sp, #20]\n" SMG_DOT_4X2_S16_STORE("r2", "r4", "r6", "r8", "r10")
                SMG_DOT_4X2_S16_STORE("r3", "r5", "r7", "r9", "r11") "strd r10, r11, [sp, #12]\n"
                                                                     "cmp r10, r12\n"
                                                                     "bne 1b\n"
                                                                     "ldr r0, [sp, #76]\n"
                                                                     "subs r0, #1\n"
                                                                     "str r0, [sp, #76]\n"
                                                                     "bne 0b\n"
                                                                     "add sp, #40\n"
                                                                     "pop {r4-r11, pc}\n");
}

#undef SMG_DOT_4X2_S16_STEP
#undef SMG_DOT_4X2_S16_WIDEN
#undef SMG_DOT_4X2_S16_STORE

#endif
