/* smg_dot_4x2_s8_dsp: the inner kernel of convolutions on Arm cores with the DSP extension.
 *
 * y[p][o] = clamp(requant(sum_k w[o][k] * x[p][k])) to int8, for two columns p, four outputs o at a
 * time.
 *
 * Columns are 16-bit values, interleaved (smg_columns_dsp.h): for each four k the words
 * p0(0,2) p1(0,2) p0(1,3) p1(1,3). Weights are pairs of outputs in one word, 256 * w[o + 1] + w[o]
 * in each half, for k = (0,2) and then (1,3). SMLAD with the word as it is sums
 * 256 * S[o + 1] + S[o]; with its low bytes alone (SXTB16) it sums S[o]; the difference is the odd
 * output, so half of the unpacking is saved. It is exact modulo 2^32, and wants
 * 256 * w[o + 1] + w[o] in 16 bits, which only w[o + 1] = -128 can break.
 *
 * Two outputs and two columns cost 8 SMLAD, 2 SXTB16 and 2 LDRD for 16 products: 0.75 instructions
 * each, and 0.77 with the loop; 0.5 is the limit of SMLAD. All 14 registers are in use, so what
 * else is needed lies on the stack.
 *
 * Requantisation (ops/support/columns.py), four outputs behind their weights:
 * scale > 0: two words each, u = scale * S + w0, y = (((u * w1) >> 32) + addend) >> 16
 * scale = 0: three words each, h = high_mul(S + w0, w1), y = ((h - (h < 0)) * w2 + addend) >> 16;
 *            w1 is 2 * mantissa - 2^32 and w2 is 2^(16 - right shift)
 * then y is saturated to 0..255, and 128 is taken off.
 *
 * Both columns are read before anything is written; y0 = y1 is right if the columns are equal.
 * Aligned to 4: weights and columns. Steps of two k: at least 2.
 */
#ifndef SMG_DOT_4X2_S8_DSP_H
#define SMG_DOT_4X2_S8_DSP_H

#include "smg.h"
#include "smg_asm.h"

/* Two k: r2, r3 = output 0 of columns 0 and 1, r4, r5 = 256 * output 1 + output 0, and so on. */
#define SMG_DOT_4X2_STEP                                                                           \
    "ldrd r10, r11, [r1], #8\n"                                                                    \
    "ldrd r12, lr, [r0], #8\n"                                                                     \
    "smlad r4, r12, r10, r4\n"                                                                     \
    "smlad r5, r12, r11, r5\n"                                                                     \
    "sxtb16 r12, r12\n"                                                                            \
    "smlad r8, lr, r10, r8\n"                                                                      \
    "smlad r9, lr, r11, r9\n"                                                                      \
    "sxtb16 lr, lr\n"                                                                              \
    "smlad r2, r12, r10, r2\n"                                                                     \
    "smlad r3, r12, r11, r3\n"                                                                     \
    "smlad r6, lr, r10, r6\n"                                                                      \
    "smlad r7, lr, r11, r7\n"

typedef struct {
    int32_t x_bytes;                  /* of the columns: 8 for each step of two k */
    int32_t entry;                    /* where the loop is entered: ((1 - steps) & 7) * 48 + 1 */
    int32_t scale, odd_scale, addend; /* odd_scale: scale / 256 */
} smg_dot_4x2_t;

/* Outputs y0 up to y0_end, a multiple of 4 many, from weights w and columns x.
 * Returns the weights that follow. */
SMG_ASM_FUNCTION const int32_t *smg_dot_4x2_s8_dsp(const int32_t *w SMG_ASM_ARGUMENT,
                                                   const int32_t *x SMG_ASM_ARGUMENT,
                                                   int8_t *y0 SMG_ASM_ARGUMENT,
                                                   int8_t *y1 SMG_ASM_ARGUMENT,
                                                   const int8_t *y0_end SMG_ASM_ARGUMENT,
                                                   const smg_dot_4x2_t *plan SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r0-r11, lr}\n"
            "ldr r12, [sp, #56]\n"
            "ldm r12, {r4-r8}\n"
            "add r4, r4, r1\n"
            "adr.w r9, 2f\n"
            "add r5, r5, r9\n"
            "adr.w r10, 4f\n"
            "cbnz r6, 0f\n"
            "adr.w r10, 3f\n"
            "0:\n"
            "add r10, r10, #1\n"
            /* sp: 0 end of x, 4 entry, 8 scale, 12 odd_scale, 16 addend, 20 epilogue, 28 x, 32 y0,
             * 36 y1, 76 y0_end */
            "push {r4-r8, r10}\n"
            "1:\n"
            "ldr r1, [sp, #28]\n"
            "ldrd r12, lr, [r0], #8\n"
            "ldrd r10, r11, [r1], #8\n"
            "smuad r4, r12, r10\n"
            "smuad r5, r12, r11\n"
            "sxtb16 r12, r12\n"
            "smuad r8, lr, r10\n"
            "smuad r9, lr, r11\n"
            "sxtb16 lr, lr\n"
            "smuad r2, r12, r10\n"
            "smuad r3, r12, r11\n"
            "smuad r6, lr, r10\n"
            "smuad r7, lr, r11\n"
            "ldr pc, [sp, #4]\n"
            ".p2align 2\n"
            "2:\n"
            ".rept 8\n" SMG_DOT_4X2_STEP ".endr\n"
            "ldr r10, [sp]\n"
            "cmp r1, r10\n"
            "bne 2b\n"
            "subs r4, r4, r2\n"
            "subs r5, r5, r3\n"
            "sub r8, r8, r6\n"
            "sub r9, r9, r7\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "ldr pc, [sp, #20]\n"
            ".p2align 2\n"
            "3:\n" /* scale = 0 */
            "add r2, r2, r10\n"
            "add r3, r3, r10\n"
            "add r4, r11, r4, asr #8\n"
            "add r5, r11, r5, asr #8\n"
            "add r6, r6, r12\n"
            "add r7, r7, r12\n"
            "add r8, lr, r8, asr #8\n"
            "add r9, lr, r9, asr #8\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "smmlar r2, r2, r10, r2\n"
            "smmlar r3, r3, r10, r3\n"
            "smmlar r4, r4, r11, r4\n"
            "smmlar r5, r5, r11, r5\n"
            "smmlar r6, r6, r12, r6\n"
            "smmlar r7, r7, r12, r7\n"
            "smmlar r8, r8, lr, r8\n"
            "smmlar r9, r9, lr, r9\n"
            "add r2, r2, r2, asr #31\n"
            "add r3, r3, r3, asr #31\n"
            "add r4, r4, r4, asr #31\n"
            "add r5, r5, r5, asr #31\n"
            "add r6, r6, r6, asr #31\n"
            "add r7, r7, r7, asr #31\n"
            "add r8, r8, r8, asr #31\n"
            "add r9, r9, r9, asr #31\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "ldr r1, [sp, #16]\n"
            "mla r2, r2, r10, r1\n"
            "mla r3, r3, r10, r1\n"
            "mla r4, r4, r11, r1\n"
            "mla r5, r5, r11, r1\n"
            "mla r6, r6, r12, r1\n"
            "mla r7, r7, r12, r1\n"
            "mla r8, r8, lr, r1\n"
            "mla r9, r9, lr, r1\n"
            "b 5f\n"
            ".p2align 2\n"
            "4:\n" /* scale > 0 */
            "ldr r1, [sp, #8]\n"
            "mla r2, r2, r1, r10\n"
            "mla r3, r3, r1, r10\n"
            "mla r6, r6, r1, r12\n"
            "mla r7, r7, r1, r12\n"
            "ldr r1, [sp, #12]\n"
            "mla r4, r4, r1, r11\n"
            "mla r5, r5, r1, r11\n"
            "mla r8, r8, r1, lr\n"
            "mla r9, r9, r1, lr\n"
            "ldm r0!, {r10, r11, r12, lr}\n"
            "ldr r1, [sp, #16]\n"
            "smmla r2, r2, r10, r1\n"
            "smmla r3, r3, r10, r1\n"
            "smmla r4, r4, r11, r1\n"
            "smmla r5, r5, r11, r1\n"
            "smmla r6, r6, r12, r1\n"
            "smmla r7, r7, r12, r1\n"
            "smmla r8, r8, lr, r1\n"
            "smmla r9, r9, lr, r1\n"
            "5:\n" /* the outputs are in the high halves */
            "ldrd r10, r11, [sp, #32]\n"
            "ldr r12, [sp, #76]\n"
            "pkhtb r2, r6, r2, asr #16\n"
            "pkhtb r4, r8, r4, asr #16\n"
            "usat16 r2, #8, r2\n"
            "usat16 r4, #8, r4\n"
            "orr r2, r2, r4, lsl #8\n"
            "eor r2, r2, #0x80808080\n"
            "str r2, [r10], #4\n"
            "pkhtb r3, r7, r3, asr #16\n"
            "pkhtb r5, r9, r5, asr #16\n"
            "usat16 r3, #8, r3\n"
            "usat16 r5, #8, r5\n"
            "orr r3, r3, r5, lsl #8\n"
            "eor r3, r3, #0x80808080\n"
            "str r3, [r11], #4\n"
            "strd r10, r11, [sp, #32]\n"
            "cmp r10, r12\n"
            "bne 1b\n"
            "add sp, #40\n"
            "pop {r4-r11, pc}\n");
}

#undef SMG_DOT_4X2_STEP

#endif
