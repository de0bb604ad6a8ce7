/* The memory functions that a compiler may call on a target without a C library.
 *
 * Words are moved where both pointers are word-aligned, bytes elsewhere, so that no core needs
 * unaligned access. `no_builtin` keeps the compiler from turning a loop into a call to itself. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NO_BUILTIN __attribute__((no_builtin("memcpy", "memmove", "memset")))

typedef uint32_t __attribute__((may_alias)) word_t;

static int word_aligned(const void *pointer) { return ((uintptr_t)pointer & 3U) == 0U; }

NO_BUILTIN void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  uint8_t *out = to;
  const uint8_t *in = from;
  if (word_aligned(out) && word_aligned(in)) {
    for (; bytes >= 4U; bytes -= 4U, out += 4, in += 4) {
      *(word_t *)(void *)out = *(const word_t *)(const void *)in;
    }
  }
  while (bytes-- > 0U) {
    *out++ = *in++;
  }
  return to;
}

NO_BUILTIN static void copy_backwards(uint8_t *to, const uint8_t *from, size_t bytes) {
  uint8_t *out = to + bytes;
  const uint8_t *in = from + bytes;
  if (word_aligned(out) && word_aligned(in)) {
    for (; bytes >= 4U; bytes -= 4U) {
      out -= 4;
      in -= 4;
      *(word_t *)(void *)out = *(const word_t *)(const void *)in;
    }
  }
  while (bytes-- > 0U) {
    *--out = *--in;
  }
}

/* Copying forwards is safe wherever the target starts before the source. */
NO_BUILTIN void *memmove(void *to, const void *from, size_t bytes) {
  uint8_t *out = to;
  const uint8_t *in = from;
  if ((uintptr_t)out - (uintptr_t)in >= bytes) {
    memcpy(to, from, bytes);
  } else {
    copy_backwards(out, in, bytes);
  }
  return to;
}

NO_BUILTIN void *memset(void *to, int value, size_t bytes) {
  uint8_t *out = to;
  const uint32_t word = (uint32_t)(uint8_t)value * 0x01010101U;
  for (; bytes > 0U && !word_aligned(out); --bytes) {
    *out++ = (uint8_t)value;
  }
  for (; bytes >= 4U; bytes -= 4U, out += 4) {
    *(word_t *)(void *)out = word;
  }
  while (bytes-- > 0U) {
    *out++ = (uint8_t)value;
  }
  return to;
}

NO_BUILTIN int memcmp(const void *a, const void *b, size_t bytes) {
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

void __aeabi_memcpy(void *to, const void *from, size_t bytes) { (void)memcpy(to, from, bytes); }
void __aeabi_memmove(void *to, const void *from, size_t bytes) { (void)memmove(to, from, bytes); }
void __aeabi_memset(void *to, size_t bytes, int value) { (void)memset(to, value, bytes); }
void __aeabi_memclr(void *to, size_t bytes) { (void)memset(to, 0, bytes); }

#define ALIAS(name, of) \
  __attribute__((alias(#of))) extern __typeof__(of) name /* NOLINT: one name per alignment */
ALIAS(__aeabi_memcpy4, __aeabi_memcpy);
ALIAS(__aeabi_memcpy8, __aeabi_memcpy);
ALIAS(__aeabi_memmove4, __aeabi_memmove);
ALIAS(__aeabi_memmove8, __aeabi_memmove);
ALIAS(__aeabi_memset4, __aeabi_memset);
ALIAS(__aeabi_memset8, __aeabi_memset);
ALIAS(__aeabi_memclr4, __aeabi_memclr);
ALIAS(__aeabi_memclr8, __aeabi_memclr);
#endif
