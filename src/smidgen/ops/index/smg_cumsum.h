/* smg_cumsum: the walk that running sums of all types share. */
#ifndef SMG_CUMSUM_H
#define SMG_CUMSUM_H

#include "smg.h"

/* Each sum begins at `first` from the start of its column, and goes on by `step` elements. */
typedef struct {
    int32_t outer, extent, inner;
    int32_t first, step, exclusive;
} smg_cumsum_t;

#endif
