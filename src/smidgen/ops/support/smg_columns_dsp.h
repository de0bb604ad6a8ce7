/* smg_columns_dsp: columns of bytes for smg_dot_4x2_s8_dsp.
 *
 * For each four values a[0..3], b[0..3]: the words a(0,2) b(0,2) a(1,3) b(1,3), 16 bits each, in
 * eight instructions. No alignment is asked of a and b.
 */
#ifndef SMG_COLUMNS_DSP_H
#define SMG_COLUMNS_DSP_H

#include "smg.h"
#include "smg_asm.h"

#define SMG_COLUMNS_STEP                                                                           \
    "ldr r4, [r0], #4\n"                                                                           \
    "ldr r5, [r1], #4\n"                                                                           \
    "sxtb16 r6, r4, ror #8\n"                                                                      \
    "sxtb16 r4, r4\n"                                                                              \
    "sxtb16 r7, r5, ror #8\n"                                                                      \
    "sxtb16 r5, r5\n"                                                                              \
    "stm r3!, {r4-r7}\n"

/* `count` values, a multiple of 4 and at least 4, of each column; returns the end of the words. */
SMG_ASM_FUNCTION int32_t *smg_columns_dsp(const int8_t *a SMG_ASM_ARGUMENT,
                                          const int8_t *b SMG_ASM_ARGUMENT,
                                          int32_t count SMG_ASM_ARGUMENT,
                                          int32_t *to SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r7}\n"
            "lsls r4, r2, #29\n"
            "add r2, r2, r0\n"
            "bne 2f\n"
            "1:\n" SMG_COLUMNS_STEP "2:\n" SMG_COLUMNS_STEP "cmp r0, r2\n"
            "bne 1b\n"
            "mov r0, r3\n"
            "pop {r4-r7}\n"
            "bx lr\n");
}

#undef SMG_COLUMNS_STEP

#endif
