/* What GCC may call without a C library; our own runtime is written for Clang. */
#include <stddef.h>

#define PLAIN __attribute__((optimize("no-tree-loop-distribute-patterns")))

PLAIN void *memset(void *to, int value, size_t bytes) {
    unsigned char *const start = to;
    for (size_t i = 0; i < bytes; ++i) {
        start[i] = (unsigned char)value;
    }
    return to;
}

PLAIN void *memcpy(void *to, const void *from, size_t bytes) {
    unsigned char *const start = to;
    const unsigned char *const source = from;
    for (size_t i = 0; i < bytes; ++i) {
        start[i] = source[i];
    }
    return to;
}
