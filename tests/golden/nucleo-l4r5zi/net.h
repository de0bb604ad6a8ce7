/* net: made by smidgen for nucleo-l4r5zi (cortex-m4f).
 *
 * 7 layers, 10392 MAC. Arena 1320 B, constants 532 B.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Working memory, which the caller owns. It holds inputs, outputs and everything between:
 * declare `uint8_t arena[NET_ARENA_BYTES]`, aligned to NET_ARENA_ALIGNMENT bytes. */
#define NET_ARENA_BYTES 1320
#define NET_ARENA_ALIGNMENT 8

/* Input x: 1x8x8x2, int8. */
#define NET_INPUT_ELEMENTS 128
/* real = NET_INPUT_SCALE * (quantum - NET_INPUT_ZERO_POINT) */
#define NET_INPUT_SCALE 0.0500000007f
#define NET_INPUT_ZERO_POINT 3
static inline int8_t *net_input(void *arena) {
    return (int8_t *)((uint8_t *)arena + 0);
}

/* Output softmax_0_out: 1x4, int8. */
#define NET_OUTPUT_ELEMENTS 4
/* real = NET_OUTPUT_SCALE * (quantum - NET_OUTPUT_ZERO_POINT) */
#define NET_OUTPUT_SCALE 0.00390625f
#define NET_OUTPUT_ZERO_POINT (-128)
static inline const int8_t *net_output(const void *arena) {
    return (const int8_t *)((const uint8_t *)arena + 16);
}

/* Call once before the first run, and again to forget the state of a streaming model. */
void net_init(void *arena);

/* One inference: reads the inputs, which it may overwrite, and leaves the outputs in the arena. */
void net_run(void *arena);

#ifdef __cplusplus
}
#endif

#endif
