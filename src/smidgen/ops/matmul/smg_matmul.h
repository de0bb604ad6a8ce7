/* smg_matmul.h: which elements of two batched matrices meet in a product. */
#ifndef SMG_MATMUL_H
#define SMG_MATMUL_H

#include "smg.h"

typedef struct {
    int32_t batches, rows, depth, cols;
    int32_t a_row, a_step;   /* from row to row of a, and along its depth */
    int32_t b_col, b_step;   /* from column to column of b, and along its depth */
    const int32_t *a_starts; /* where each batch's matrix starts: batches may share one */
    const int32_t *b_starts;
} smg_matmul_t;

#endif
