/* smg_depthwise_3x3_dsp: windows of 3x3 over one plane, for Arm cores with the DSP extension.
 *
 * The inner kernel of smg_depthwise_s8_dsp.h: all outputs of one channel, column by column, four
 * down a column at a time, then two. A channel is, in words: where sums start, what they are
 * multiplied with, two words that depend on the requantisation, and the weights of three columns,
 * two words each: stride 1 (w0,w1), (w1,w2), stride 2 (w0,w1), (w2,0). Planes hold 16-bit values
 * in pairs down a column.
 *
 * Four outputs cost 24 SMLAx, 9 loads and 2 additions with stride 1 (3 loads more with stride 2),
 * 10 instructions to scale as a line (23 as a shift), 6 to store and 4 to go on: 13.8 for each.
 */
#ifndef SMG_DEPTHWISE_3X3_DSP_H
#define SMG_DEPTHWISE_3X3_DSP_H

#include "smg_asm.h"
#include "smg_dsp.h"

/* The outputs of a channel; steps are in bytes. */
typedef struct {
    int32_t row_step;     /* from one output down to the next */
    int32_t window_bytes; /* from one column of a window to the next, in the plane */
    int32_t rows, cols;
    int32_t col_step;     /* from one column of outputs to the next */
    int32_t output_bytes; /* from the window of a column to that of the next, in the plane */
} smg_depthwise_walk_t;

/* r0 rows left, r1 plane, r2 channel, r3 y, r4 row step, r5 window step; r6 to r9 sums. */

/* Values (x0,x1), (x2,x3), (x4,x5) of a column. */
#define SMG_DW_4_STRIDE1(at, s0, s1, s2, s3)                                                       \
    "ldrd r10, r11, [r2, #" at "]\n"                                                               \
    "ldrd r12, lr, [r1]\n"                                                                         \
    "smlad r6, r12, r10, " s0 "\n"                                                                 \
    "smlatb r7, r12, r10, " s1 "\n"                                                                \
    "smlad r8, lr, r10, " s2 "\n"                                                                  \
    "smlatb r9, lr, r10, " s3 "\n"                                                                 \
    "ldr r12, [r1, #8]\n"                                                                          \
    "smlabt r6, lr, r11, r6\n"                                                                     \
    "smlad r7, lr, r11, r7\n"                                                                      \
    "smlabt r8, r12, r11, r8\n"                                                                    \
    "smlad r9, r12, r11, r9\n"
#define SMG_DW_2_STRIDE1(at, s0, s1)                                                               \
    "ldrd r10, r11, [r2, #" at "]\n"                                                               \
    "ldrd r12, lr, [r1]\n"                                                                         \
    "smlad r6, r12, r10, " s0 "\n"                                                                 \
    "smlatb r7, r12, r10, " s1 "\n"                                                                \
    "smlabt r6, lr, r11, r6\n"                                                                     \
    "smlad r7, lr, r11, r7\n"

/* Values (x0,x1) to (x8,x9). */
#define SMG_DW_4_STRIDE2(at, s0, s1, s2, s3)                                                       \
    "ldrd r10, r11, [r2, #" at "]\n"                                                               \
    "ldrd r12, lr, [r1]\n"                                                                         \
    "smlad r6, r12, r10, " s0 "\n"                                                                 \
    "smlad r7, lr, r10, " s1 "\n"                                                                  \
    "smlabb r6, lr, r11, r6\n"                                                                     \
    "ldrd r12, lr, [r1, #8]\n"                                                                     \
    "smlad r8, r12, r10, " s2 "\n"                                                                 \
    "smlabb r7, r12, r11, r7\n"                                                                    \
    "smlad r9, lr, r10, " s3 "\n"                                                                  \
    "ldr r12, [r1, #16]\n"                                                                         \
    "smlabb r8, lr, r11, r8\n"                                                                     \
    "smlabb r9, r12, r11, r9\n"
#define SMG_DW_2_STRIDE2(at, s0, s1)                                                               \
    "ldrd r10, r11, [r2, #" at "]\n"                                                               \
    "ldrd r12, lr, [r1]\n"                                                                         \
    "smlad r6, r12, r10, " s0 "\n"                                                                 \
    "smlad r7, lr, r10, " s1 "\n"                                                                  \
    "smlabb r6, lr, r11, r6\n"                                                                     \
    "ldr r12, [r1, #8]\n"                                                                          \
    "smlabb r7, r12, r11, r7\n"

#define SMG_DW_SUMS_4(COLUMN)                                                                      \
    "ldr r9, [r2]\n" COLUMN("16", "r9", "r9", "r9", "r9") "add r1, r5\n" COLUMN(                   \
        "24", "r6", "r7", "r8", "r9") "add r1, r5\n" COLUMN("32", "r6", "r7", "r8", "r9")
#define SMG_DW_SUMS_2(COLUMN)                                                                      \
    "ldr r7, [r2]\n" COLUMN("16", "r7", "r7") "add r1, r5\n" COLUMN(                               \
        "24", "r6", "r7") "add r1, r5\n" COLUMN("32", "r6", "r7")

/* From sums to outputs. */
#define SMG_DW_LOAD_LINE "ldrd r10, r11, [r2, #4]\n"
#define SMG_DW_FINISH_LINE(sum)                                                                    \
    "smmla " sum ", " sum ", r10, r11\n"                                                           \
    "ssat " sum ", #8, " sum ", asr #16\n"
#define SMG_DW_LOAD_SHIFT                                                                          \
    "ldr r10, [r2, #4]\n"                                                                          \
    "ldrd r11, r12, [r2, #8]\n"
#define SMG_DW_FINISH_SHIFT(sum)                                                                   \
    "smmulr " sum ", " sum ", r10\n"                                                               \
    "add lr, " sum ", r12\n"                                                                       \
    "add " sum ", lr, " sum ", asr #31\n"                                                          \
    "asr " sum ", " sum ", r11\n"                                                                  \
    "ssat " sum ", #8, " sum "\n"

/* One channel: `plane` is where the first window lies. */
#define SMG_DW_WALK(suffix, STRIDE, next4, next2, FORM)                                            \
    SMG_ASM_FUNCTION void smg_depthwise_3x3_##suffix(                                              \
        const smg_depthwise_walk_t *walk SMG_ASM_ARGUMENT,                                         \
        const smg_pair_t *plane SMG_ASM_ARGUMENT, const smg_pair_t *channel SMG_ASM_ARGUMENT,      \
        int8_t *y SMG_ASM_ARGUMENT) {                                                              \
        __asm__(".syntax unified\n"                                                                \
                "push {r4-r11, lr}\n"                                                              \
                "sub sp, #28\n" /* 0 rows, 4 columns left, 8 col_step, 12 output_bytes, 16 plane,  \
                                   20 y */                                                         \
                "ldm r0, {r4-r9}\n"                                                                \
                "strd r6, r7, [sp]\n"                                                              \
                "strd r8, r9, [sp, #8]\n"                                                          \
                "1:\n"                                                                             \
                "strd r1, r3, [sp, #16]\n"                                                         \
                "ldr r0, [sp]\n"                                                                   \
                "subs r0, #4\n"                                                                    \
                "blt 3f\n"                                                                         \
                "2:\n" SMG_DW_SUMS_4(SMG_DW_4_##STRIDE)                                            \
                    SMG_DW_LOAD_##FORM SMG_DW_FINISH_##FORM("r6") SMG_DW_FINISH_##FORM("r7")       \
                        SMG_DW_FINISH_##FORM("r8") SMG_DW_FINISH_##FORM(                           \
                            "r9") "strb r6, [r3]\n"                                                \
                                  "strb r7, [r3, r4]\n"                                            \
                                  "add r3, r3, r4, lsl #1\n"                                       \
                                  "strb r8, [r3]\n"                                                \
                                  "strb r9, [r3, r4]\n"                                            \
                                  "add r3, r3, r4, lsl #1\n"                                       \
                                  "sub r1, r1, r5, lsl #1\n"                                       \
                                  "adds r1, #" next4 "\n"                                          \
                                  "subs r0, #4\n"                                                  \
                                  "bge 2b\n"                                                       \
                                  "3:\n"                                                           \
                                  "adds r0, #4\n"                                                  \
                                  "beq 5f\n"                                                       \
                                  "4:\n" SMG_DW_SUMS_2(SMG_DW_2_##STRIDE)                          \
                                      SMG_DW_LOAD_##FORM SMG_DW_FINISH_##FORM("r6")                \
                                          SMG_DW_FINISH_##FORM("r7") "strb r6, [r3]\n"             \
                                                                     "subs r0, #2\n"               \
                                                                     "blt 5f\n"                    \
                                                                     "strb r7, [r3, r4]\n"         \
                                                                     "add r3, r3, r4, lsl #1\n"    \
                                                                     "sub r1, r1, r5, lsl #1\n"    \
                                                                     "add r1, #" next2 "\n"        \
                                                                     "bne 4b\n"                    \
                                                                     "5:\n"                        \
                                                                     "ldrd r1, r3, [sp, #16]\n"    \
                                                                     "ldrd r10, r11, [sp, #8]\n"   \
                                                                     "ldr r6, [sp, #4]\n"          \
                                                                     "add r1, r11\n"               \
                                                                     "add r3, r10\n"               \
                                                                     "subs r6, #1\n"               \
                                                                     "str r6, [sp, #4]\n"          \
                                                                     "bne 1b\n"                    \
                                                                     "add sp, #28\n"               \
                                                                     "pop {r4-r11, pc}\n");        \
    }

SMG_DW_WALK(stride1_line, STRIDE1, "8", "4", LINE)
SMG_DW_WALK(stride2_line, STRIDE2, "16", "8", LINE)
SMG_DW_WALK(stride1_shift, STRIDE1, "8", "4", SHIFT)
SMG_DW_WALK(stride2_shift, STRIDE2, "16", "8", SHIFT)

#undef SMG_DW_WALK
#undef SMG_DW_4_STRIDE1
#undef SMG_DW_2_STRIDE1
#undef SMG_DW_4_STRIDE2
#undef SMG_DW_2_STRIDE2
#undef SMG_DW_SUMS_4
#undef SMG_DW_SUMS_2
#undef SMG_DW_LOAD_LINE
#undef SMG_DW_FINISH_LINE
#undef SMG_DW_LOAD_SHIFT
#undef SMG_DW_FINISH_SHIFT

#endif
