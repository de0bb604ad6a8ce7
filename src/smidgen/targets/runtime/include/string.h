/* The part of <string.h> that generated code uses, for targets that have no C library. */
#ifndef SMIDGEN_STRING_H
#define SMIDGEN_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#endif
