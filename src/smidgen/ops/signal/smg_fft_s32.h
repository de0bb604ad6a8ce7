/* smg_fft_s32: spectra of real 32-bit signals, and back.
 *
 * Q0.31; each stage divides by its radix. Exact: equals the references of Rfft and Irfft bit for
 * bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_FFT_S32_H
#define SMG_FFT_S32_H

#include "smg.h"

#define SMG_FFT(name) name##_s32
#define SMG_FFT_T int32_t
#define SMG_FFT_PRODUCT_T int64_t
#define SMG_FFT_ROUND(x) ((int32_t)(((x) + ((int64_t)1 << 30)) >> 31))
#define SMG_FFT_ADD(a, b) ((int32_t)((uint32_t)(a) + (uint32_t)(b)))
#define SMG_FFT_SUB(a, b) ((int32_t)((uint32_t)(a) - (uint32_t)(b)))
#define SMG_FFT_HALF(x) ((int32_t)((x) >> 1))
#define SMG_FFT_OVER(x, radix) SMG_FFT_ROUND((int64_t)(x) * (INT32_MAX / (radix)))
#define SMG_FFT_NORMAL(x, length) (x)
#include "smg_fft_template.h"

#endif
