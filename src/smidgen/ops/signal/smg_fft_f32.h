/* smg_fft_f32: spectra of real float signals, and back.
 *
 * Compiled without contraction; the way back divides by the length. Exact: equals the references of
 * Rfft and Irfft bit for bit. Scratch: none. x and y are disjoint.
 */
#ifndef SMG_FFT_F32_H
#define SMG_FFT_F32_H

#include "smg.h"

#define SMG_FFT(name) name##_f32
#define SMG_FFT_T float
#define SMG_FFT_PRODUCT_T float
#define SMG_FFT_ROUND(x) (x)
#define SMG_FFT_ADD(a, b) ((float)(a) + (float)(b))
#define SMG_FFT_SUB(a, b) ((float)(a) - (float)(b))
#define SMG_FFT_HALF(x) ((x) * 0.5f)
#define SMG_FFT_OVER(x, radix) ((void)(radix), (x))
#define SMG_FFT_NORMAL(x, length) ((x) / (float)(length))
#include "smg_fft_template.h"

#endif
