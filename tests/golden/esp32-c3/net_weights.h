/* The constant tables of net; included by net.c only. */
#ifndef NET_WEIGHTS_H
#define NET_WEIGHTS_H

#include "smg.h"

/* weights, four outputs interleaved */
static const int8_t net_conv2d_0_weights[144] SMG_ALIGNED(4) = {
    1, 88, -62, 20, 27, -83, 29, 56, 120, -105, 67, 88, 59, 93, -30, 6, 34, -122, -10, -32, 11, 11,
    127, -48, 15, -107, 78, -20, 111, -51, 123, -4, -57, -5, -31, 56, 81, -20, 47, 99, 44, -25,
    115, -109, -127, -120, 38, 111, -27, -126, 87, 8, 91, -96, 48, -36, 14, -125, 52, 44, -119, 44,
    -28, 18, 68, 7, 96, -63, 59, 38, -93, -45, 56, -47, 0, 0, 24, -66, 0, 0, 1, 74, 0, 0, -41, 96,
    0, 0, 66, -107, 0, 0, -28, -113, 0, 0, -44, 44, 0, 0, 100, -42, 0, 0, -60, 19, 0, 0, -70, -89,
    0, 0, 55, 92, 0, 0, 31, -13, 0, 0, -115, 101, 0, 0, -106, 76, 0, 0, -31, 52, 0, 0, 85, -69, 0,
    0, -25, 68, 0, 0, 73, -114, 0, 0,
};

/* scaling of each output */
static const int32_t net_conv2d_0_words[12] SMG_ALIGNED(4) = {
    -747404886, 1542215192, -425522676, 785252993, 540910824, 313535319, 846703435, 263138043,
    -804262027, 1905690092, -837028661, 2110787480,
};

/* weights, by channel, window column, row */
static const int8_t net_depthwise_conv2d_0_weights[54] SMG_ALIGNED(4) = {
    35, 26, 108, -23, -24, 120, -115, -108, -97, -101, 114, 110, -15, -1, 109, -19, -22, 93, 3,
    -123, -80, -7, -20, 43, 114, -56, -106, 33, -10, -98, 116, 7, 119, 31, 60, 123, 67, 85, -94,
    -78, -69, 95, -38, 64, 83, 109, 66, 58, 0, 73, -124, 126, 54, 117,
};

/* how sums become outputs */
static const int32_t net_depthwise_conv2d_0_words[18] SMG_ALIGNED(4) = {
    -559, 1282922112, 6, -1405, 1520733888, 7, 67, 1452995136, 6, 1890, 1152689088, 7, -532,
    1954179456, 6, 1559, 1767186624, 7,
};

/* weights, OI */
static const int8_t net_dense_0_weights[24] SMG_ALIGNED(4) = {
    -92, 108, 120, -60, -19, 10, 40, -15, -90, 110, 49, -117, 80, 59, -81, 29, 0, -120, 109, 56,
    -48, -123, -104, 66,
};

/* bias, input zero point folded in */
static const int32_t net_dense_0_bias[4] SMG_ALIGNED(4) = {
    -63, -409, 934, 836,
};

static const int32_t net_dense_0_mantissas[4] SMG_ALIGNED(4) = {
    2078414490, 1316088609, 1529542003, 2032786073,
};

static const int8_t net_dense_0_shifts[4] SMG_ALIGNED(4) = {
    -6, -6, -7, -6,
};

#endif
