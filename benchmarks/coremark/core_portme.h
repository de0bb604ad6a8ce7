/* What CoreMark must be told of an emulated core (its coremark.h says what each name means): 32-bit
 * types, seeds that the compiler does not know, no console. */
#ifndef CORE_PORTME_H
#define CORE_PORTME_H

#include <stddef.h>

#define HAS_FLOAT 0
#define HAS_STDIO 0
#define HAS_PRINTF 0
#define MAIN_HAS_NOARGC 1
#define MAIN_HAS_NORETURN 0
#define SEED_METHOD SEED_VOLATILE
#define MEM_METHOD MEM_STATIC
#define MULTITHREAD 1
#define COMPILER_VERSION ""
#define COMPILER_FLAGS ""
#define MEM_LOCATION ""

typedef signed short ee_s16;
typedef unsigned short ee_u16;
typedef signed int ee_s32;
typedef float ee_f32;
typedef unsigned char ee_u8;
typedef unsigned int ee_u32;
typedef unsigned int ee_ptr_int;
typedef size_t ee_size_t;
typedef unsigned int CORE_TICKS;

typedef struct CORE_PORTABLE_S {
    ee_u8 unused;
} core_portable;

#define align_mem(x) (void *)(((ee_ptr_int)(x) + 3U) & ~(ee_ptr_int)3U)
#define ee_printf(...) ((void)0)

extern ee_u32 default_num_contexts;
void portable_init(core_portable *p, int *argc, char *argv[]);
void portable_fini(core_portable *p);

#endif
