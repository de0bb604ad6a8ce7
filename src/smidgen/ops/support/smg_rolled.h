/* smg_rolled.h: SMG_ROLLED, before a loop whose unrolling would cost flash and gain little. */
#ifndef SMG_ROLLED_H
#define SMG_ROLLED_H

#if defined(__clang__)
#define SMG_ROLLED _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define SMG_ROLLED _Pragma("GCC unroll 1")
#else
#define SMG_ROLLED
#endif

#endif
