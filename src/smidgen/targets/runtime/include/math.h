/* The part of <math.h> that generated code uses, for targets that have no C library. */
#ifndef SMIDGEN_MATH_H
#define SMIDGEN_MATH_H

#define INFINITY (__builtin_inff())
#define NAN (__builtin_nanf(""))

#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)

/* One instruction on a core with an FPU; the compiler's support library elsewhere. */
float fabsf(float x);
float sqrtf(float x);

#endif
