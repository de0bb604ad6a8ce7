/* The memory functions that a compiler may call on a target without a C library.
 *
 * Words are moved where both pointers are word-aligned, bytes elsewhere, so that no core needs
 * unaligned access. `no_builtin` keeps the compiler from turning a loop into a call to the very
 * function that it is in; all entry points share static loops for the same reason. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define ROLLED _Pragma("clang loop unroll(disable)")
#else
#define ROLLED
#endif
#define NO_BUILTIN __attribute__((no_builtin("memcpy", "memmove", "memset")))

typedef uint32_t __attribute__((may_alias)) word_t;

static int word_aligned(const void *pointer) {
    return ((uintptr_t)pointer & 3U) == 0U;
}

NO_BUILTIN static void copy_forwards(uint8_t *to, const uint8_t *from, size_t bytes) {
    if (word_aligned(to) && word_aligned(from)) {
        for (; bytes >= 4U; bytes -= 4U, to += 4, from += 4) {
            *(word_t *)(void *)to = *(const word_t *)(const void *)from;
        }
    }
    ROLLED
    while (bytes-- > 0U) {
        *to++ = *from++;
    }
}

/* `to` and `from` are the ends. */
NO_BUILTIN static void copy_backwards(uint8_t *to, const uint8_t *from, size_t bytes) {
    if (word_aligned(to) && word_aligned(from)) {
        for (; bytes >= 4U; bytes -= 4U) {
            to -= 4;
            from -= 4;
            *(word_t *)(void *)to = *(const word_t *)(const void *)from;
        }
    }
    while (bytes-- > 0U) {
        *--to = *--from;
    }
}

/* Copying forwards is safe wherever the target starts before the source or behind its end. */
NO_BUILTIN static void copy_any(uint8_t *to, const uint8_t *from, size_t bytes) {
    if ((uintptr_t)to - (uintptr_t)from >= bytes) {
        copy_forwards(to, from, bytes);
    } else {
        copy_backwards(to + bytes, from + bytes, bytes);
    }
}

NO_BUILTIN static void fill(uint8_t *to, uint8_t value, size_t bytes) {
    const uint32_t word = (uint32_t)value * 0x01010101U;
    ROLLED
    for (; bytes > 0U && !word_aligned(to); --bytes) {
        *to++ = value;
    }
    ROLLED
    for (; bytes >= 4U; bytes -= 4U, to += 4) {
        *(word_t *)(void *)to = word;
    }
    ROLLED
    while (bytes-- > 0U) {
        *to++ = value;
    }
}

NO_BUILTIN void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    copy_forwards(to, from, bytes);
    return to;
}

NO_BUILTIN void *memmove(void *to, const void *from, size_t bytes) {
    copy_any(to, from, bytes);
    return to;
}

NO_BUILTIN void *memset(void *to, int value, size_t bytes) {
    fill(to, (uint8_t)value, bytes);
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const uint8_t *left = a;
    const uint8_t *right = b;
    for (; bytes > 0U; --bytes, ++left, ++right) {
        if (*left != *right) {
            return (int)*left - (int)*right;
        }
    }
    return 0;
}

#if defined(__ARM_EABI__)
/* Run-time ABI for the Arm architecture (IHI 0043), section 5.3.4: memory copying and clearing. */
void __aeabi_memcpy(void *to, const void *from, size_t bytes);
void __aeabi_memmove(void *to, const void *from, size_t bytes);
void __aeabi_memset(void *to, size_t bytes, int value);
void __aeabi_memclr(void *to, size_t bytes);

NO_BUILTIN void __aeabi_memcpy(void *to, const void *from, size_t bytes) {
    copy_forwards(to, from, bytes);
}

NO_BUILTIN void __aeabi_memmove(void *to, const void *from, size_t bytes) {
    copy_any(to, from, bytes);
}

NO_BUILTIN void __aeabi_memset(void *to, size_t bytes, int value) {
    fill(to, (uint8_t)value, bytes);
}

NO_BUILTIN void __aeabi_memclr(void *to, size_t bytes) {
    fill(to, 0, bytes);
}

/* The ABI has one name for each alignment that the caller can promise. */
#define ALIAS(name, of) __attribute__((alias(#of))) extern __typeof__(of) name
ALIAS(__aeabi_memcpy4, __aeabi_memcpy);
ALIAS(__aeabi_memcpy8, __aeabi_memcpy);
ALIAS(__aeabi_memmove4, __aeabi_memmove);
ALIAS(__aeabi_memmove8, __aeabi_memmove);
ALIAS(__aeabi_memset4, __aeabi_memset);
ALIAS(__aeabi_memset8, __aeabi_memset);
ALIAS(__aeabi_memclr4, __aeabi_memclr);
ALIAS(__aeabi_memclr8, __aeabi_memclr);
#endif
