/* smg_conv2d_s8_neon: convolution on int8 without groups, for AArch64 cores with Advanced SIMD
 * (NEON).
 *
 * y[r,c,o] = clamp(zp_y + requant(b'[o] + sum_{h,w,i} w[o,h,w,i] * x[.., .., i]))
 *
 * b' is the bias with -zp_x * sum(w) folded in, so padding counts as zp_x. The values under the
 * windows of four pixels are copied to columns in scratch, and all outputs are made from there;
 * pixels run on across rows, and the last ones may be fewer.
 * Exact: equals the reference of Conv2D bit for bit. Scratch: four columns of 8 * steps bytes, and
 * 16 more. Writes four pixels at a time: y may reach into x as far as safe_pixel_distance
 * (ops/support/overlap.py) says.
 */
#ifndef SMG_CONV2D_S8_NEON_H
#define SMG_CONV2D_S8_NEON_H

#include "smg_columns_neon.h"
#include "smg_dot_s8_neon.h"

typedef struct {
    smg_columns_neon_t columns;
    smg_dot_s8_neon_t dot;
} smg_conv2d_s8_neon_t;

SMG_INLINE void smg_conv2d_s8_neon_dots(const smg_dot_s8_neon_t *op, const int8_t *columns,
                                        int8_t *y, int32_t pixels, bool up) {
    if (op->full_range != 0) {
        smg_dot_4x4_s8_neon(op, columns, y, pixels, true, up);
    } else {
        smg_dot_4x4_s8_neon(op, columns, y, pixels, false, up);
    }
}

SMG_INLINE void smg_conv2d_s8_neon_layer(const smg_conv2d_s8_neon_t *op, const int8_t *x, int8_t *y,
                                         uint8_t *scratch, bool up) {
    int8_t *const columns = (int8_t *)scratch;
    const smg_columns_neon_t shape = op->columns;
    smg_walk_neon_t walk = smg_walk_neon(&shape.window);
    memset(columns, 0, (size_t)(4 * shape.apart));
    while (walk.pixels > 0) {
        const int32_t pixels = smg_columns_neon(&shape, x, &walk, columns);
        smg_conv2d_s8_neon_dots(&op->dot, columns, y, pixels, up);
        y += pixels * op->dot.outputs;
    }
}

SMG_KERNEL void smg_conv2d_s8_neon(const smg_conv2d_s8_neon_t *op, const int8_t *x, int8_t *y,
                                   uint8_t *scratch) {
    smg_conv2d_s8_neon_layer(op, x, y, scratch, false);
}

SMG_KERNEL void smg_conv2d_s8_neon_up(const smg_conv2d_s8_neon_t *op, const int8_t *x, int8_t *y,
                                      uint8_t *scratch) {
    smg_conv2d_s8_neon_layer(op, x, y, scratch, true);
}

/* 1 x 1 windows, stride 1, no padding: pixels as they come. */
SMG_INLINE void smg_conv2d_s8_neon_points(const smg_conv2d_s8_neon_t *op, const int8_t *x,
                                          int8_t *y, uint8_t *scratch, bool up) {
    const smg_columns_neon_t shape = op->columns;
    int8_t *const columns = (int8_t *)scratch;
    memset(columns, 0, (size_t)(4 * shape.apart));
    for (int32_t left = shape.window.out_rows * shape.window.out_cols; left > 0; left -= 4) {
        const int32_t pixels = smg_points_neon(&shape, x, left, columns);
        smg_conv2d_s8_neon_dots(&op->dot, columns, y, pixels, up);
        x += 4 * shape.window.in_channels;
        y += 4 * op->dot.outputs;
    }
}

SMG_KERNEL void smg_conv2d_s8_neon_1x1(const smg_conv2d_s8_neon_t *op, const int8_t *x, int8_t *y,
                                       uint8_t *scratch) {
    smg_conv2d_s8_neon_points(op, x, y, scratch, false);
}

SMG_KERNEL void smg_conv2d_s8_neon_1x1_up(const smg_conv2d_s8_neon_t *op, const int8_t *x,
                                          int8_t *y, uint8_t *scratch) {
    smg_conv2d_s8_neon_points(op, x, y, scratch, true);
}

#endif
