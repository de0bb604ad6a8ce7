/* smg_dot_4x3_s8: the inner kernel of convolutions on cores without SIMD: four outputs, three
 * columns, three products in two multiplications.
 *
 * The columns are packed in words modulo 2^32, for each k: A = x0 + 2^21 x1 and B = x2 + 2^10 x1.
 * Sums of w * A and w * B then hold S0 + 2^21 S1 and S2 + 2^10 S1. With all |S| < 2^20, the low 21
 * bits of the first are S0, its high 11 bits the low bits of S1; these taken off, the second is
 * S2 + 2^21 (S1 >> 11), which gives the rest. So 12 products cost 4 loads of weights, 2 words of
 * columns and 8 multiplications with addition: on ARMv7-M 13 instructions and 1.13 for each product
 * with the loop; on ARMv6-M, two outputs at a time for want of registers, 2.2 to 2.3; on RV32 22
 * and 1.9. One product in each multiplication would need 1.75, 3.5 and 2.75 at best.
 */
#ifndef SMG_DOT_4X3_S8_H
#define SMG_DOT_4X3_S8_H

#include "smg.h"
#include "smg_asm.h"

/* Where there is SMLAD, only layers whose numbers it cannot take come here: small is enough. */
#if defined(__ARM_FEATURE_DSP)
#define SMG_TRIO_FUNCTION SMG_FOR_SIZE SMG_NOINLINE static
#else
#define SMG_TRIO_FUNCTION SMG_NOINLINE static
#endif

/* Packs `count` values of three columns; returns the end of the words. */
SMG_TRIO_FUNCTION uint32_t *smg_columns_trio(const int8_t *x0, const int8_t *x1, const int8_t *x2,
                                             int32_t count, uint32_t *to) {
    const uint32_t *const end = to + 2 * count;
    while (to != end) {
        const uint32_t middle = (uint32_t)(int32_t)*x1++;
        to[0] = (uint32_t)(int32_t)*x0++ + (middle << 21);
        to[1] = (uint32_t)(int32_t)*x2++ + (middle << 10);
        to += 2;
    }
    return to;
}

/* smg_dot_4x3_packed: sums over `count` >= 1 k of w * A and w * B for each of four outputs, to
 * packed[8]; weights are [k][output]. */
#if defined(__thumb2__)

SMG_ASM_FUNCTION void smg_dot_4x3_packed(const int8_t *w SMG_ASM_ARGUMENT,
                                         const uint32_t *x SMG_ASM_ARGUMENT,
                                         int32_t count SMG_ASM_ARGUMENT,
                                         uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r3-r11, lr}\n"
            /* The loop has 4 steps of 52 bytes, and is entered where the odd ones remain. */
            "rsb r12, r2, #4\n"
            "and r12, r12, #3\n"
            "adr.w lr, 1f\n"
            "adds r3, r12, r12, lsl #1\n"
            "add r12, r12, r3, lsl #2\n"
            "add lr, lr, r12, lsl #2\n"
            "adds.w lr, lr, #1\n"
            "add r2, r1, r2, lsl #3\n"
            "movs r4, #0\n"
            "movs r5, #0\n"
            "movs r6, #0\n"
            "movs r7, #0\n"
            "mov r8, r4\n"
            "mov r9, r4\n"
            "mov r10, r4\n"
            "mov r11, r4\n"
            "bx lr\n"
            ".p2align 2\n"
            "1:\n"
            ".rept 4\n"
            "ldrd r12, lr, [r1], #8\n"
            "ldrsb r3, [r0], #1\n"
            "mla r4, r12, r3, r4\n"
            "mla r5, lr, r3, r5\n"
            "ldrsb r3, [r0], #1\n"
            "mla r6, r12, r3, r6\n"
            "mla r7, lr, r3, r7\n"
            "ldrsb r3, [r0], #1\n"
            "mla r8, r12, r3, r8\n"
            "mla r9, lr, r3, r9\n"
            "ldrsb r3, [r0], #1\n"
            "mla r10, r12, r3, r10\n"
            "mla r11, lr, r3, r11\n"
            ".endr\n"
            "cmp r1, r2\n"
            "bne 1b\n"
            "ldr r3, [sp], #4\n"
            "stm r3, {r4-r11}\n"
            "pop {r4-r11, pc}\n");
}

#elif defined(__thumb__)

SMG_ASM_FUNCTION void smg_dot_4x3_packed(const int8_t *w SMG_ASM_ARGUMENT,
                                         const uint32_t *x SMG_ASM_ARGUMENT,
                                         int32_t count SMG_ASM_ARGUMENT,
                                         uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__(".syntax unified\n"
            "push {r4-r7, lr}\n"
            "mov r4, r8\n"
            "mov r5, r9\n"
            "mov r6, r10\n"
            "mov r7, r11\n"
            "push {r0-r7}\n" /* sp: 0 w, 4 x, 8 count, 12 packed */
            "lsls r2, r2, #3\n"
            "adds r2, r1, r2\n"
            "mov r12, r2\n"
            "movs r6, #0\n"
            "movs r7, #1\n"
            "1:\n" /* outputs r6 and r7 */
            "movs r2, #0\n"
            "mov r8, r2\n"
            "mov r9, r2\n"
            "mov r10, r2\n"
            "mov r11, r2\n"
            "ldr r2, [sp, #8]\n"
            "lsls r2, r2, #31\n"
            "bne 3f\n"
            "2:\n"
            ".irp again, 0, 1\n"
            ".if \\again\n"
            "3:\n"
            ".endif\n"
            "ldm r1!, {r4, r5}\n"
            "ldrsb r2, [r0, r6]\n"
            "movs r3, r2\n"
            "muls r3, r4, r3\n"
            "add r8, r3\n"
            "muls r2, r5, r2\n"
            "add r9, r2\n"
            "ldrsb r2, [r0, r7]\n"
            "muls r4, r2, r4\n"
            "add r10, r4\n"
            "muls r5, r2, r5\n"
            "add r11, r5\n"
            "adds r0, #4\n"
            ".endr\n"
            "cmp r1, r12\n"
            "bne 2b\n"
            "ldr r3, [sp, #12]\n"
            "mov r0, r8\n"
            "mov r1, r9\n"
            "mov r4, r10\n"
            "mov r5, r11\n"
            "stm r3!, {r0, r1, r4, r5}\n"
            "str r3, [sp, #12]\n"
            "ldr r0, [sp]\n"
            "ldr r1, [sp, #4]\n"
            "adds r6, #2\n"
            "adds r7, #2\n"
            "cmp r6, #4\n"
            "bne 1b\n"
            "add sp, #16\n"
            "pop {r4-r7}\n"
            "mov r8, r4\n"
            "mov r9, r5\n"
            "mov r10, r6\n"
            "mov r11, r7\n"
            "pop {r4-r7, pc}\n");
}

#elif defined(__riscv_mul) && __riscv_xlen == 32 && !defined(__riscv_e) && !defined(__riscv_32e)

SMG_ASM_FUNCTION void smg_dot_4x3_packed(const int8_t *w SMG_ASM_ARGUMENT,
                                         const uint32_t *x SMG_ASM_ARGUMENT,
                                         int32_t count SMG_ASM_ARGUMENT,
                                         uint32_t *packed SMG_ASM_ARGUMENT) {
    __asm__("addi sp, sp, -16\n"
            "sw s0, 0(sp)\n"
            "sw s1, 4(sp)\n"
            "li a4, 0\n"
            "li a5, 0\n"
            "li a6, 0\n"
            "li a7, 0\n"
            "li t3, 0\n"
            "li t4, 0\n"
            "li t5, 0\n"
            "li t6, 0\n"
            /* One k at a time up to 0 to 3 of them, then four at a time up to the end. */
            "slli t0, a2, 3\n"
            "add t0, a1, t0\n"
            "sw t0, 8(sp)\n"
            "andi a2, a2, 3\n"
            "slli a2, a2, 3\n"
            "add a2, a1, a2\n"
            "beq a1, a2, 2f\n"
            "1:\n"
            ".irp i, 0\n"
            "lw t0, 8*\\i(a1)\n"
            "lw t1, 8*\\i+4(a1)\n"
            "lb s0, 4*\\i(a0)\n"
            "lb s1, 4*\\i+1(a0)\n"
            "mul t2, t0, s0\n"
            "mul s0, t1, s0\n"
            "add a4, a4, t2\n"
            "add a5, a5, s0\n"
            "lb s0, 4*\\i+2(a0)\n"
            "mul t2, t0, s1\n"
            "mul s1, t1, s1\n"
            "add a6, a6, t2\n"
            "add a7, a7, s1\n"
            "lb s1, 4*\\i+3(a0)\n"
            "mul t2, t0, s0\n"
            "mul s0, t1, s0\n"
            "add t3, t3, t2\n"
            "add t4, t4, s0\n"
            "mul t2, t0, s1\n"
            "mul s1, t1, s1\n"
            "add t5, t5, t2\n"
            "add t6, t6, s1\n"
            ".endr\n"
            "addi a0, a0, 4\n"
            "addi a1, a1, 8\n"
            "bne a1, a2, 1b\n"
            "2:\n"
            "lw a2, 8(sp)\n"
            "beq a1, a2, 4f\n"
            "3:\n"
            ".irp i, 0, 1, 2, 3\n"
            "lw t0, 8*\\i(a1)\n"
            "lw t1, 8*\\i+4(a1)\n"
            "lb s0, 4*\\i(a0)\n"
            "lb s1, 4*\\i+1(a0)\n"
            "mul t2, t0, s0\n"
            "mul s0, t1, s0\n"
            "add a4, a4, t2\n"
            "add a5, a5, s0\n"
            "lb s0, 4*\\i+2(a0)\n"
            "mul t2, t0, s1\n"
            "mul s1, t1, s1\n"
            "add a6, a6, t2\n"
            "add a7, a7, s1\n"
            "lb s1, 4*\\i+3(a0)\n"
            "mul t2, t0, s0\n"
            "mul s0, t1, s0\n"
            "add t3, t3, t2\n"
            "add t4, t4, s0\n"
            "mul t2, t0, s1\n"
            "mul s1, t1, s1\n"
            "add t5, t5, t2\n"
            "add t6, t6, s1\n"
            ".endr\n"
            "addi a0, a0, 16\n"
            "addi a1, a1, 32\n"
            "bne a1, a2, 3b\n"
            "4:\n"
            "sw a4, 0(a3)\n"
            "sw a5, 4(a3)\n"
            "sw a6, 8(a3)\n"
            "sw a7, 12(a3)\n"
            "sw t3, 16(a3)\n"
            "sw t4, 20(a3)\n"
            "sw t5, 24(a3)\n"
            "sw t6, 28(a3)\n"
            "lw s0, 0(sp)\n"
            "lw s1, 4(sp)\n"
            "addi sp, sp, 16\n"
            "ret\n");
}

#else

SMG_INLINE void smg_dot_4x3_step(const int8_t *w, const uint32_t *x, uint32_t sums[8]) {
    for (int32_t o = 0; o < 4; ++o) {
        const uint32_t weight = (uint32_t)(int32_t)w[o];
        sums[2 * o] += weight * x[0];
        sums[2 * o + 1] += weight * x[1];
    }
}

SMG_NOINLINE static void smg_dot_4x3_packed(const int8_t *w, const uint32_t *x, int32_t count,
                                            uint32_t *packed) {
    uint32_t sums[8] = {0};
    if ((count & 1) != 0) {
        smg_dot_4x3_step(w, x, sums);
        w += 4;
        x += 2;
    }
    const uint32_t *const end = x + 2 * (count & ~1);
    while (x != end) {
        smg_dot_4x3_step(w, x, sums);
        smg_dot_4x3_step(w + 4, x + 2, sums);
        w += 8;
        x += 4;
    }
    memcpy(packed, sums, sizeof sums);
}

#endif

/* The sums of `count` products, to sums[output][column]. */
SMG_TRIO_FUNCTION void smg_dot_4x3_s8(const int8_t *w, const uint32_t *x, int32_t count,
                                      int32_t *sums) {
    uint32_t packed[8];
    smg_dot_4x3_packed(w, x, count, packed);
    for (int32_t o = 0; o < 4; ++o) {
        const uint32_t a = packed[2 * o], b = packed[2 * o + 1];
        const int32_t s0 = (int32_t)(a << 11) >> 11;
        const uint32_t low = (a - (uint32_t)s0) >> 21;
        const uint32_t c = b - (low << 10);
        const int32_t s2 = (int32_t)(c << 11) >> 11;
        const int32_t high = (int32_t)(c - (uint32_t)s2) >> 21;
        sums[0] = s0;
        sums[1] = (int32_t)(low + ((uint32_t)high << 11));
        sums[2] = s2;
        sums += 3;
    }
}

#endif
