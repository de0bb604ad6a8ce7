/* smg_winograd_sums_dsp: sums of products for Winograd's F(2x2, 3x3) on Arm cores with the DSP
 * extension.
 *
 * sums[place][o][t] = sum_c u[place][o][c] * v[place][t][c], modulo 2^32, for the 16 places of a
 * transformed tile, four outputs o and two tiles t.
 *
 * All values are 16 bits, two channels a word (SMLAD). For each place and each two channels: four
 * words of u, one for each output; two words of v, one for each tile. Two channels are 11
 * instructions for 16 products. All 14 registers are in use, so what else is needed lies on the
 * stack.
 *
 * Scratch: none. Aligned to 4: everything. Words of two channels: at least 2 a place.
 */
#ifndef SMG_WINOGRAD_SUMS_DSP_H
#define SMG_WINOGRAD_SUMS_DSP_H

#include "smg.h"
#include "smg_asm.h"

/* Two channels: r2 = output 0 of tile 0, r3 = output 0 of tile 1, and so on. */
#define SMG_WINOGRAD_STEP                                                                          \
    "ldrd r10, r11, [r0], #8\n"                                                                    \
    "ldrd r12, lr, [r1], #8\n"                                                                     \
    "smlad r2, r12, r10, r2\n"                                                                     \
    "smlad r3, lr, r10, r3\n"                                                                      \
    "smlad r4, r12, r11, r4\n"                                                                     \
    "smlad r5, lr, r11, r5\n"                                                                      \
    "ldrd r10, r11, [r0], #8\n"                                                                    \
    "smlad r6, r12, r10, r6\n"                                                                     \
    "smlad r7, lr, r10, r7\n"                                                                      \
    "smlad r8, r12, r11, r8\n"                                                                     \
    "smlad r9, lr, r11, r9\n"

/* The sums of all 16 places; `words` is those of one tile and place. Returns the end of u. */
SMG_ASM_FUNCTION const int32_t *smg_winograd_sums_dsp(const int32_t *u SMG_ASM_ARGUMENT,
                                                      const int32_t *v SMG_ASM_ARGUMENT,
                                                      int32_t *sums SMG_ASM_ARGUMENT,
                                                      int32_t words SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r11, lr}\n"
            /* The loop has 8 steps of 44 bytes; it is entered so that `words` - 1 are left. */
            "rsb r4, r3, #1\n"
            "and r4, r4, #7\n"
            "movs r5, #44\n"
            "adr.w r6, 2f\n"
            "mla r10, r4, r5, r6\n"
            "orr r10, r10, #1\n"
            "lsls r7, r3, #3\n"
            "add r6, r1, r7\n"
            "mov r8, r2\n"
            "add r9, r2, #512\n"
            /* sp: 0 end of v's place, 4 bytes of v's place, 8 sums, 12 their end, 16 entry */
            "push {r6-r10}\n"
            "1:\n"
            "ldrd r10, r11, [r0], #8\n"
            "ldrd r12, lr, [r1], #8\n"
            "smuad r2, r12, r10\n"
            "smuad r3, lr, r10\n"
            "smuad r4, r12, r11\n"
            "smuad r5, lr, r11\n"
            "ldrd r10, r11, [r0], #8\n"
            "smuad r6, r12, r10\n"
            "smuad r7, lr, r10\n"
            "smuad r8, r12, r11\n"
            "smuad r9, lr, r11\n"
            "ldr pc, [sp, #16]\n"
            ".p2align 2\n"
            "2:\n"
            ".rept 8\n" SMG_WINOGRAD_STEP ".endr\n"
            "ldrd r10, r11, [sp]\n"
            "cmp r1, r10\n"
            "bne 2b\n"
            "ldrd r12, lr, [sp, #8]\n"
            "add r10, r10, r11\n"
            "str r10, [sp]\n"
            "stm r12!, {r2-r9}\n"
            "str r12, [sp, #8]\n"
            "cmp r12, lr\n"
            "bne 1b\n"
            "add sp, #20\n"
            "pop {r4-r11, pc}\n");
}

#undef SMG_WINOGRAD_STEP

#endif
