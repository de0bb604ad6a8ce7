/* smg_fft_s16: spectra of real 16-bit signals, and back.
 *
 * Q0.15; each stage divides by its radix. Exact: equals the references of Rfft and Irfft bit for
 * bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_FFT_S16_H
#define SMG_FFT_S16_H

#include "smg.h"

#define SMG_FFT(name) name##_s16
#define SMG_FFT_T int16_t
#define SMG_FFT_PRODUCT_T int32_t
#define SMG_FFT_ROUND(x) ((int16_t)(((x) + (1 << 14)) >> 15))
#define SMG_FFT_ADD(a, b) ((int16_t)((uint32_t)(a) + (uint32_t)(b)))
#define SMG_FFT_SUB(a, b) ((int16_t)((uint32_t)(a) - (uint32_t)(b)))
#define SMG_FFT_HALF(x) ((int16_t)((x) >> 1))
#define SMG_FFT_OVER(x, radix) SMG_FFT_ROUND((int32_t)(x) * (INT16_MAX / (radix)))
#define SMG_FFT_NORMAL(x, length) (x)
#include "smg_fft_template.h"

#endif
