/* smg_loops: three nested loops over a tensor, and the parameters of a plain reduction. */
#ifndef SMG_LOOPS_H
#define SMG_LOOPS_H

#include "smg.h"

/* Counts and steps in elements, outermost first; a loop that is not needed counts to 1. */
typedef struct {
    int32_t count_0, step_0, count_1, step_1, count_2, step_2;
} smg_loops_t;

/* One output for each position of `kept`; it reduces the positions of `reduced` from there. */
typedef struct {
    smg_loops_t kept, reduced;
} smg_reduce_t;

/* The loops around `body`, in which `at` is the offset in elements. */
#define SMG_LOOPS(loops, at, body)                                                                 \
    for (int32_t at##_0 = 0; at##_0 < (loops)->count_0; ++at##_0) {                                \
        for (int32_t at##_1 = 0; at##_1 < (loops)->count_1; ++at##_1) {                            \
            int32_t at = at##_0 * (loops)->step_0 + at##_1 * (loops)->step_1;                      \
            for (int32_t at##_2 = 0; at##_2 < (loops)->count_2; ++at##_2) {                        \
                body;                                                                              \
                at += (loops)->step_2;                                                             \
            }                                                                                      \
        }                                                                                          \
    }

#endif
