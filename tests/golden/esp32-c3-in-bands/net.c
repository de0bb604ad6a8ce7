/* net: made by smidgen for esp32-c3 (rv32imc).
 *
 * 8 layers, 10392 MAC. Arena 824 B, constants 390 B.
 * In bands: conv2d_0 to max_pool2d_0: 5 bands, 1 row of the last tensor a band; row buffers and
 * scratch 696 B, 288 B moved, no MAC twice.
 */
#include "net.h"

#include "smg.h"
#include "smg_conv2d_s8_octet.h"
#include "smg_depthwise_s8_plane.h"
#include "smg_add_s8_plane.h"
#include "smg_pool2d_s8.h"
#include "smg_dense_s8_interleaved.h"
#include "smg_softmax_s8.h"

#include "net_weights.h"

/* Kernels that layers share, and small code for what takes little time. */
SMG_SHARED void net_shared_conv2d_s8_octet(
    const smg_conv2d_s8_octet_t *op,
    const int8_t *x,
    int8_t *y,
    uint8_t *scratch) {
    smg_conv2d_s8_octet(op, x, y, scratch);
}

SMG_SHARED void net_shared_depthwise_s8_plane_3x3_stride1_shift(
    const smg_depthwise_s8_plane_t *op,
    const int8_t *x,
    int8_t *y,
    uint8_t *scratch) {
    smg_depthwise_s8_plane_3x3_stride1_shift(op, x, y, scratch);
}

SMG_SHARED void net_shared_add_s8_plane(
    const smg_add_s8_plane_t *op,
    const int8_t *x0,
    const int8_t *x1,
    int8_t *y) {
    smg_add_s8_plane(op, x0, x1, y);
}

SMG_COMPACT void net_compact_average_pool2d_s8(
    const smg_pool2d_s8_t *op,
    const int8_t *x,
    int8_t *y) {
    smg_average_pool2d_s8(op, x, y);
}

SMG_COMPACT void net_compact_dense_s8_interleaved(
    const smg_dense_s8_interleaved_t *op,
    const int8_t *x,
    int8_t *y) {
    smg_dense_s8_interleaved(op, x, y);
}

static const smg_conv2d_s8_octet_t net_conv2d_0 = {
    .windows = {
        .in_rows = 2, .in_cols = 8, .in_channels = 2, .out_cols = 8, .out_pixels = 8, .win_rows = 3,
        .win_cols = 3, .row_reach = 2, .col_reach = 2, .stride_rows = 1, .stride_cols = 1,
        .dilation_rows = 1, .dilation_cols = 1, .top = 1, .left = 1, .zero_point = 3, .runs = 0,
        .run_bytes = 0, .run_step = 0, .pixel_step = 0,
    },
    .scale = {
        .scale = 2048, .addend = -126222336, .low = -128, .high = 127,
    },
    .out_channels = 6, .depth = 18, .segment = 18, .weights = net_conv2d_0_weights,
    .words = net_conv2d_0_words,
};

static const smg_conv2d_s8_octet_t net_conv2d_0_2 = {
    .windows = {
        .in_rows = 4, .in_cols = 8, .in_channels = 2, .out_cols = 8, .out_pixels = 16,
        .win_rows = 3, .win_cols = 3, .row_reach = 2, .col_reach = 2, .stride_rows = 1,
        .stride_cols = 1, .dilation_rows = 1, .dilation_cols = 1, .top = 0, .left = 1,
        .zero_point = 3, .runs = 0, .run_bytes = 0, .run_step = 0, .pixel_step = 0,
    },
    .scale = {
        .scale = 2048, .addend = -126222336, .low = -128, .high = 127,
    },
    .out_channels = 6, .depth = 18, .segment = 18, .weights = net_conv2d_0_weights,
    .words = net_conv2d_0_words,
};

static const smg_conv2d_s8_octet_t net_conv2d_0_4 = {
    .windows = {
        .in_rows = 2, .in_cols = 8, .in_channels = 2, .out_cols = 8, .out_pixels = 8, .win_rows = 3,
        .win_cols = 3, .row_reach = 2, .col_reach = 2, .stride_rows = 1, .stride_cols = 1,
        .dilation_rows = 1, .dilation_cols = 1, .top = 0, .left = 1, .zero_point = 3, .runs = 0,
        .run_bytes = 0, .run_step = 0, .pixel_step = 0,
    },
    .scale = {
        .scale = 2048, .addend = -126222336, .low = -128, .high = 127,
    },
    .out_channels = 6, .depth = 18, .segment = 18, .weights = net_conv2d_0_weights,
    .words = net_conv2d_0_words,
};

/* conv2d_0, in bands: 1x8x8x2 -> 1x8x8x6, weights 6x3x3x2
 * arena[696..823] -> arena[0..191] | 6912 MAC */
SMG_NOINLINE static void net_run_conv2d_0(uint8_t *arena, int32_t band) {
    if (band == 0) {
        net_shared_conv2d_s8_octet(
            &net_conv2d_0,
            (const int8_t *)(arena + 696),
            (int8_t *)(arena + 0),
            arena + 192);
    } else if (band >= 1 && band <= 2) {
        net_shared_conv2d_s8_octet(
            &net_conv2d_0_2,
            (const int8_t *)(arena + 696 + 32 * (band - 1)),
            (int8_t *)(arena + 48 + 48 * (band - 1)),
            arena + 192);
    } else if (band == 3) {
        net_shared_conv2d_s8_octet(
            &net_conv2d_0_2,
            (const int8_t *)(arena + 760),
            (int8_t *)(arena + 96),
            arena + 192);
    } else if (band == 4) {
        net_shared_conv2d_s8_octet(
            &net_conv2d_0_4,
            (const int8_t *)(arena + 792),
            (int8_t *)(arena + 96),
            arena + 192);
    }
}

static const smg_depthwise_s8_plane_t net_depthwise_conv2d_0 = {
    .channels = 6, .multiplier = 1, .rows = 8, .cols = 3, .row_step = 6, .col_step = 48,
    .out_rows = 8, .out_cols = 2, .out_row_step = 6, .out_col_step = 48, .taps = 3, .win_cols = 3,
    .stride_rows = 1, .dilation_rows = 1, .plane_bytes = 40, .column_bytes = 10, .window_bytes = 10,
    .output_bytes = 10, .first = 11, .zero_point = -128, .out_zero_point = -5,
    .scale = {
        .scale = -1, .addend = -327680, .low = -128, .high = 127,
    },
    .weights = net_depthwise_conv2d_0_weights, .words = net_depthwise_conv2d_0_words,
};

static const smg_depthwise_s8_plane_t net_depthwise_conv2d_0_2 = {
    .channels = 6, .multiplier = 1, .rows = 8, .cols = 4, .row_step = 6, .col_step = 48,
    .out_rows = 8, .out_cols = 2, .out_row_step = 6, .out_col_step = 48, .taps = 3, .win_cols = 3,
    .stride_rows = 1, .dilation_rows = 1, .plane_bytes = 40, .column_bytes = 10, .window_bytes = 10,
    .output_bytes = 10, .first = 1, .zero_point = -128, .out_zero_point = -5,
    .scale = {
        .scale = -1, .addend = -327680, .low = -128, .high = 127,
    },
    .weights = net_depthwise_conv2d_0_weights, .words = net_depthwise_conv2d_0_words,
};

static const smg_depthwise_s8_plane_t net_depthwise_conv2d_0_3 = {
    .channels = 6, .multiplier = 1, .rows = 8, .cols = 3, .row_step = 6, .col_step = 48,
    .out_rows = 8, .out_cols = 2, .out_row_step = 6, .out_col_step = 48, .taps = 3, .win_cols = 3,
    .stride_rows = 1, .dilation_rows = 1, .plane_bytes = 40, .column_bytes = 10, .window_bytes = 10,
    .output_bytes = 10, .first = 1, .zero_point = -128, .out_zero_point = -5,
    .scale = {
        .scale = -1, .addend = -327680, .low = -128, .high = 127,
    },
    .weights = net_depthwise_conv2d_0_weights, .words = net_depthwise_conv2d_0_words,
};

/* depthwise_conv2d_0, in bands: 1x8x8x6 -> 1x8x8x6, weights 1x3x3x6
 * arena[0..191] -> arena[192..287] | 3456 MAC */
SMG_NOINLINE static void net_run_depthwise_conv2d_0(uint8_t *arena, int32_t band) {
    if (band == 1) {
        net_shared_depthwise_s8_plane_3x3_stride1_shift(
            &net_depthwise_conv2d_0,
            (const int8_t *)(arena + 0),
            (int8_t *)(arena + 192),
            arena + 288);
    } else if (band >= 2 && band <= 3) {
        net_shared_depthwise_s8_plane_3x3_stride1_shift(
            &net_depthwise_conv2d_0_2,
            (const int8_t *)(arena + 0),
            (int8_t *)(arena + 192),
            arena + 288);
    } else if (band == 4) {
        net_shared_depthwise_s8_plane_3x3_stride1_shift(
            &net_depthwise_conv2d_0_3,
            (const int8_t *)(arena + 0),
            (int8_t *)(arena + 192),
            arena + 288);
    }
}

static const smg_add_s8_plane_t net_add_0 = {
    .count = 96, .period = 96, .a_slope = 2796202, .b_slope = 3728270, .intercept = 294766345,
    .shift = 22, .low = -128, .high = 127,
};

/* add_0, in bands: 1x8x8x6 and 1x8x8x6 -> 1x8x8x6
 * arena[0..191], arena[192..287] -> arena[192..287] */
SMG_NOINLINE static void net_run_add_0(uint8_t *arena, int32_t band) {
    if (band >= 1 && band <= 2) {
        net_shared_add_s8_plane(
            &net_add_0,
            (const int8_t *)(arena + 0 + 48 * (band - 1)),
            (const int8_t *)(arena + 192),
            (int8_t *)(arena + 192));
    } else if (band >= 3) {
        net_shared_add_s8_plane(
            &net_add_0,
            (const int8_t *)(arena + 48),
            (const int8_t *)(arena + 192),
            (int8_t *)(arena + 192));
    }
}

static const smg_pool2d_s8_t net_max_pool2d_0 = {
    .in_rows = 2, .in_cols = 8, .channels = 6, .out_rows = 1, .out_cols = 4, .win_rows = 2,
    .win_cols = 2, .stride_rows = 2, .stride_cols = 2, .top = 0, .left = 0, .low = -128,
    .high = 127,
};

/* max_pool2d_0, in bands: 1x8x8x6 -> 1x4x4x6
 * arena[192..287] -> arena[696..791] */
SMG_NOINLINE static void net_run_max_pool2d_0(uint8_t *arena, int32_t band) {
    if (band >= 1) {
        smg_max_pool2d_s8(
            &net_max_pool2d_0,
            (const int8_t *)(arena + 192),
            (int8_t *)(arena + 696 + 24 * (band - 1)));
    }
}

/* The rows that the next band reads again move to the start of their buffers. */
SMG_NOINLINE static void net_keep_rows(uint8_t *arena, int32_t band) {
    if (band == 1) {
        memmove(arena + 0, arena + 48, 96);
    } else if (band >= 2 && band <= 3) {
        memmove(arena + 0, arena + 96, 96);
    }
}

static const smg_pool2d_s8_t net_average_pool2d_0 = {
    .in_rows = 1, .in_cols = 16, .channels = 6, .out_rows = 1, .out_cols = 1, .win_rows = 1,
    .win_cols = 16, .stride_rows = 4, .stride_cols = 4, .top = 0, .left = 0, .low = -128,
    .high = 127,
};

/* average_pool2d_0: 1x4x4x6 -> 1x1x1x6
 * arena[696..791] -> arena[0..5] */
SMG_NOINLINE static void net_run_average_pool2d_0(uint8_t *arena) {
    net_compact_average_pool2d_s8(
        &net_average_pool2d_0,
        (const int8_t *)(arena + 696),
        (int8_t *)(arena + 0));
}

static const smg_dense_s8_interleaved_t net_dense_0 = {
    .inputs = 6, .outputs = 4, .segment = 6,
    .scale = {
        .scale = 0, .addend = 491520, .low = -128, .high = 127,
    },
    .weights = net_dense_0_weights, .words = net_dense_0_words,
};

/* dense_0: 1x6 -> 1x4, weights 4x6
 * arena[0..5] -> arena[16..19] | 24 MAC */
SMG_NOINLINE static void net_run_dense_0(uint8_t *arena) {
    net_compact_dense_s8_interleaved(
        &net_dense_0,
        (const int8_t *)(arena + 0),
        (int8_t *)(arena + 16));
}

static const smg_softmax_s8_t net_softmax_0 = {
    .rows = 1, .depth = 4, .mantissa = 1717986944, .left_shift = 23, .smallest_difference = -248,
};

/* softmax_0: 1x4 -> 1x4
 * arena[16..19] -> arena[16..19] */
SMG_NOINLINE static void net_run_softmax_0(uint8_t *arena) {
    smg_softmax_s8(&net_softmax_0, (const int8_t *)(arena + 16), (int8_t *)(arena + 16), arena + 0);
}

void net_init(void *arena) {
    (void)arena;
}

void net_run(void *arena) {
    /* conv2d_0 to max_pool2d_0, 1 row of the last tensor a band. */
    for (int32_t band = 0; band < 5; ++band) {
        net_run_conv2d_0(arena, band);
        net_run_depthwise_conv2d_0(arena, band);
        net_run_add_0(arena, band);
        net_run_max_pool2d_0(arena, band);
        net_keep_rows(arena, band);
    }
    net_run_average_pool2d_0(arena);
    net_run_dense_0(arena);
    net_run_softmax_0(arena);
}
