/* The constant tables of net; included by net.c only. */
#ifndef NET_WEIGHTS_H
#define NET_WEIGHTS_H

#include "smg.h"

/* weights in pairs of outputs, 4 outputs a block, each with its scaling */
static const int32_t net_conv2d_0_weights[56] SMG_ALIGNED(4) = {
    -1753720831, 1480790978, 1564192027, 98711581, -1794144734, -330375178, -848360693, -58994561,
    -416482617, -1821165599, -2021528495, 1864786735, -2096201243, 741607511, 730439771, 300211248,
    1860, 49504, 9787, 53923, 326336938, 648219148, 1614652648, 1920445259, 1542215192, 785252993,
    313535319, 263138043, 1241633080, 0, 1607974424, 0, 735352130, 0, -698052892, 0, 1547113156, 0,
    -216029510, 0, 870409357, 0, -1152037994, 0, 17383, 0, 36425, 0, 269479797, 236713163, 0, 0,
    1905690092, 2110787480, 0, 0,
};

/* weights, by channel, window column, row */
static const int8_t net_depthwise_conv2d_0_weights[54] SMG_ALIGNED(4) = {
    35, 26, 108, -23, -24, 120, -115, -108, -97, -101, 114, 110, -15, -1, 109, -19, -22, 93, 3,
    -123, -80, -7, -20, 43, 114, -56, -106, 33, -10, -98, 116, 7, 119, 31, 60, 123, 67, 85, -94,
    -78, -69, 95, -38, 64, 83, 109, 66, 58, 0, 73, -124, 126, 54, 117,
};

/* bias, shift */
static const int32_t net_depthwise_conv2d_0_bias[6] SMG_ALIGNED(4) = {
    -21086, 65798, -59258, 101316, 28376, 125742,
};

static const int32_t net_depthwise_conv2d_0_mantissas[6] SMG_ALIGNED(4) = {
    1282922112, 1520733888, 1452995136, 1152689088, 1954179456, 1767186624,
};

static const int8_t net_depthwise_conv2d_0_factors[6] SMG_ALIGNED(4) = {
    6, 7, 6, 7, 6, 7,
};

/* weights in pairs of outputs, 4 outputs a block, each with its scaling */
static const int32_t net_dense_0_weights[20] SMG_ALIGNED(4) = {
    -1502074972, -810586800, 1841623404, -2061682629, 12525, 38912, 35594, 16776, -63, -409, 934,
    836, -138138316, -1662790078, -1235883290, -229395150, 1024, 1024, 512, 1024,
};

#endif
