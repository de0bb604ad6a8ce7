/* smg_fft_template.h: the FFT of real signals for one scalar type; included once for each type.
 *
 * The includer defines, and this file undefines:
 *     SMG_FFT_T, SMG_FFT_PRODUCT_T  the scalar, and what a sum of two products fits
 *     SMG_FFT(name)                 `name` with the type's suffix
 *     SMG_FFT_ROUND(x)              a product, back in the scalar type
 *     SMG_FFT_ADD(a, b), SMG_FFT_SUB(a, b)
 *     SMG_FFT_HALF(x), SMG_FFT_OVER(x, radix)
 *
 * A complex FFT of half the length over pairs of samples, mixed radix, decimation in time, in the
 * place of the output; then a pass that separates the spectra of even and odd samples.
 */

typedef struct {
    SMG_FFT_T r, i;
} SMG_FFT(smg_complex);

typedef struct {
    int32_t rows, size, samples, stages;
    const uint16_t *destinations; /* where each point goes before the first stage */
    const int8_t *radices;        /* from the first stage to the last */
    const SMG_FFT_T *twiddles;    /* cos, sin of the complex FFT */
    const SMG_FFT_T *separating;  /* cos, sin of the separating pass */
} SMG_FFT(smg_fft);

SMG_INLINE SMG_FFT(smg_complex) SMG_FFT(smg_point)(const SMG_FFT_T *x, int32_t index) {
    const SMG_FFT(smg_complex) point = {x[2 * index], x[2 * index + 1]};
    return point;
}

SMG_INLINE void SMG_FFT(smg_put)(SMG_FFT_T *x, int32_t index, SMG_FFT(smg_complex) a) {
    x[2 * index] = a.r;
    x[2 * index + 1] = a.i;
}

SMG_INLINE SMG_FFT_T SMG_FFT(smg_scaled)(SMG_FFT_T a, SMG_FFT_T b) {
    return SMG_FFT_ROUND((SMG_FFT_PRODUCT_T)a * b);
}

SMG_INLINE SMG_FFT(smg_complex) SMG_FFT(smg_times)(SMG_FFT(smg_complex) a, SMG_FFT(smg_complex) b) {
    const SMG_FFT(smg_complex) product = {
        SMG_FFT_ROUND((SMG_FFT_PRODUCT_T)a.r * b.r - (SMG_FFT_PRODUCT_T)a.i * b.i),
        SMG_FFT_ROUND((SMG_FFT_PRODUCT_T)a.r * b.i + (SMG_FFT_PRODUCT_T)a.i * b.r),
    };
    return product;
}

SMG_INLINE SMG_FFT(smg_complex) SMG_FFT(smg_plus)(SMG_FFT(smg_complex) a, SMG_FFT(smg_complex) b) {
    const SMG_FFT(smg_complex) sum = {SMG_FFT_ADD(a.r, b.r), SMG_FFT_ADD(a.i, b.i)};
    return sum;
}

SMG_INLINE SMG_FFT(smg_complex) SMG_FFT(smg_minus)(SMG_FFT(smg_complex) a, SMG_FFT(smg_complex) b) {
    const SMG_FFT(smg_complex) rest = {SMG_FFT_SUB(a.r, b.r), SMG_FFT_SUB(a.i, b.i)};
    return rest;
}

SMG_INLINE SMG_FFT(smg_complex) SMG_FFT(smg_over)(SMG_FFT(smg_complex) a, int32_t radix) {
    const SMG_FFT(smg_complex) part = {SMG_FFT_OVER(a.r, radix), SMG_FFT_OVER(a.i, radix)};
    return part;
}

/* a turned by a quarter: -j a, or j a where `inverse`. */
SMG_INLINE SMG_FFT(smg_complex) SMG_FFT(smg_quarter)(SMG_FFT(smg_complex) a, bool inverse) {
    const SMG_FFT(smg_complex) right = {a.i, SMG_FFT_SUB(0, a.r)};
    const SMG_FFT(smg_complex) left = {SMG_FFT_SUB(0, a.i), a.r};
    return inverse ? left : right;
}

SMG_INLINE void SMG_FFT(smg_four)(SMG_FFT(smg_complex) * t, bool inverse) {
    const SMG_FFT(smg_complex) difference = SMG_FFT(smg_minus)(t[0], t[2]);
    const SMG_FFT(smg_complex) even = SMG_FFT(smg_plus)(t[0], t[2]);
    const SMG_FFT(smg_complex) odd = SMG_FFT(smg_plus)(t[1], t[3]);
    const SMG_FFT(smg_complex) turned =
        SMG_FFT(smg_quarter)(SMG_FFT(smg_minus)(t[1], t[3]), inverse);
    t[0] = SMG_FFT(smg_plus)(even, odd);
    t[1] = SMG_FFT(smg_plus)(difference, turned);
    t[2] = SMG_FFT(smg_minus)(even, odd);
    t[3] = SMG_FFT(smg_minus)(difference, turned);
}

SMG_INLINE void SMG_FFT(smg_three)(SMG_FFT(smg_complex) * t, SMG_FFT(smg_complex) root) {
    const SMG_FFT(smg_complex) both = SMG_FFT(smg_plus)(t[1], t[2]);
    const SMG_FFT(smg_complex) apart = SMG_FFT(smg_minus)(t[1], t[2]);
    const SMG_FFT(smg_complex) base = {SMG_FFT_SUB(t[0].r, SMG_FFT_HALF(both.r)),
                                       SMG_FFT_SUB(t[0].i, SMG_FFT_HALF(both.i))};
    const SMG_FFT(smg_complex) turned = {
        SMG_FFT_SUB(0, SMG_FFT(smg_scaled)(apart.i, root.i)),
        SMG_FFT(smg_scaled)(apart.r, root.i),
    };
    t[0] = SMG_FFT(smg_plus)(t[0], both);
    t[1] = SMG_FFT(smg_plus)(base, turned);
    t[2] = SMG_FFT(smg_minus)(base, turned);
}

/* x + y a + z b, for each part. */
SMG_INLINE SMG_FFT(smg_complex)
    SMG_FFT(smg_weighed)(SMG_FFT(smg_complex) x, SMG_FFT(smg_complex) y, SMG_FFT_T a,
                         SMG_FFT(smg_complex) z, SMG_FFT_T b) {
    const SMG_FFT_T r = SMG_FFT_ADD(x.r, SMG_FFT(smg_scaled)(y.r, a));
    const SMG_FFT_T i = SMG_FFT_ADD(x.i, SMG_FFT(smg_scaled)(y.i, a));
    const SMG_FFT(smg_complex) sum = {SMG_FFT_ADD(r, SMG_FFT(smg_scaled)(z.r, b)),
                                      SMG_FFT_ADD(i, SMG_FFT(smg_scaled)(z.i, b))};
    return sum;
}

SMG_INLINE void SMG_FFT(smg_five)(SMG_FFT(smg_complex) * t, SMG_FFT(smg_complex) a,
                                  SMG_FFT(smg_complex) b) {
    const SMG_FFT(smg_complex) outer = SMG_FFT(smg_plus)(t[1], t[4]);
    const SMG_FFT(smg_complex) outer_apart = SMG_FFT(smg_minus)(t[1], t[4]);
    const SMG_FFT(smg_complex) inner = SMG_FFT(smg_plus)(t[2], t[3]);
    const SMG_FFT(smg_complex) inner_apart = SMG_FFT(smg_minus)(t[2], t[3]);
    const SMG_FFT(smg_complex) near = SMG_FFT(smg_weighed)(t[0], outer, a.r, inner, b.r);
    const SMG_FFT(smg_complex) far = SMG_FFT(smg_weighed)(t[0], outer, b.r, inner, a.r);
    const SMG_FFT(smg_complex) near_turn = {
        SMG_FFT_ADD(SMG_FFT(smg_scaled)(outer_apart.i, a.i),
                    SMG_FFT(smg_scaled)(inner_apart.i, b.i)),
        SMG_FFT_SUB(SMG_FFT_SUB(0, SMG_FFT(smg_scaled)(outer_apart.r, a.i)),
                    SMG_FFT(smg_scaled)(inner_apart.r, b.i)),
    };
    const SMG_FFT(smg_complex) far_turn = {
        SMG_FFT_SUB(SMG_FFT(smg_scaled)(inner_apart.i, a.i),
                    SMG_FFT(smg_scaled)(outer_apart.i, b.i)),
        SMG_FFT_SUB(SMG_FFT(smg_scaled)(outer_apart.r, b.i),
                    SMG_FFT(smg_scaled)(inner_apart.r, a.i)),
    };
    t[0] = SMG_FFT(smg_plus)(t[0], SMG_FFT(smg_plus)(outer, inner));
    t[1] = SMG_FFT(smg_minus)(near, near_turn);
    t[2] = SMG_FFT(smg_plus)(far, far_turn);
    t[3] = SMG_FFT(smg_minus)(far, far_turn);
    t[4] = SMG_FFT(smg_plus)(near, near_turn);
}

/* `radix` points that lie `span` apart from `at` on, with twiddles in steps of `angle`. */
SMG_INLINE void SMG_FFT(smg_butterfly)(const SMG_FFT(smg_fft) * op, SMG_FFT_T *x, int32_t at,
                                       int32_t span, int32_t angle, int32_t radix, bool inverse) {
    SMG_FFT(smg_complex) t[5];
    for (int32_t q = 0; q < radix; ++q) {
        t[q] = SMG_FFT(smg_over)(SMG_FFT(smg_point)(x, at + q * span), radix);
        if (q > 0) {
            t[q] = SMG_FFT(smg_times)(t[q], SMG_FFT(smg_point)(op->twiddles, q * angle));
        }
    }
    const SMG_FFT(smg_complex) root = SMG_FFT(smg_point)(op->twiddles, op->size / radix);
    if (radix == 2) {
        const SMG_FFT(smg_complex) difference = SMG_FFT(smg_minus)(t[0], t[1]);
        t[0] = SMG_FFT(smg_plus)(t[0], t[1]);
        t[1] = difference;
    } else if (radix == 3) {
        SMG_FFT(smg_three)(t, root);
    } else if (radix == 4) {
        SMG_FFT(smg_four)(t, inverse);
    } else {
        SMG_FFT(smg_five)
        (t, root, SMG_FFT(smg_point)(op->twiddles, 2 * (op->size / 5)));
    }
    for (int32_t q = 0; q < radix; ++q) {
        SMG_FFT(smg_put)(x, at + q * span, t[q]);
    }
}

SMG_INLINE void SMG_FFT(smg_stage)(const SMG_FFT(smg_fft) * op, SMG_FFT_T *x, int32_t span,
                                   int32_t radix, bool inverse) {
    const int32_t step = op->size / (span * radix);
    for (int32_t block = 0; block < op->size; block += span * radix) {
        for (int32_t u = 0; u < span; ++u) {
            SMG_FFT(smg_butterfly)(op, x, block + u, span, u * step, radix, inverse);
        }
    }
}

SMG_INLINE void SMG_FFT(smg_stages)(const SMG_FFT(smg_fft) * op, SMG_FFT_T *x, bool inverse) {
    int32_t span = 1;
    for (int32_t stage = 0; stage < op->stages; ++stage) {
        const int32_t radix = op->radices[stage];
        if (radix == 4) {
            SMG_FFT(smg_stage)(op, x, span, 4, inverse);
        } else if (radix == 2) {
            SMG_FFT(smg_stage)(op, x, span, 2, inverse);
        } else if (radix == 3) {
            SMG_FFT(smg_stage)(op, x, span, 3, inverse);
        } else {
            SMG_FFT(smg_stage)(op, x, span, 5, inverse);
        }
        span *= radix;
    }
}

/* The middle point, which is its own mirror: the real parts, twice the same, do not mix. (Clang 22
 * for RISC-V loses the rounding of a product that is doubled, widened and halved.) */
SMG_INLINE void SMG_FFT(smg_separate_middle)(const SMG_FFT(smg_fft) * op, SMG_FFT_T *y) {
    const int32_t k = op->size / 2;
    const SMG_FFT(smg_complex) point = SMG_FFT(smg_point)(y, k);
    const SMG_FFT(smg_complex) here = SMG_FFT(smg_over)(point, 2);
    const SMG_FFT_T mirrored = SMG_FFT_OVER(SMG_FFT_SUB(0, point.i), 2);
    const SMG_FFT(smg_complex) apart = {0, SMG_FFT_SUB(here.i, mirrored)};
    const SMG_FFT(smg_complex) turned =
        SMG_FFT(smg_times)(apart, SMG_FFT(smg_point)(op->separating, k - 1));
    const SMG_FFT_T both = SMG_FFT_ADD(here.i, mirrored);
    const SMG_FFT(smg_complex) middle = {here.r, SMG_FFT_HALF((SMG_FFT_PRODUCT_T)turned.i - both)};
    SMG_FFT(smg_put)(y, k, middle);
}

SMG_INLINE void SMG_FFT(smg_separate)(const SMG_FFT(smg_fft) * op, SMG_FFT_T *y) {
    const int32_t n = op->size;
    const SMG_FFT(smg_complex) dc = SMG_FFT(smg_over)(SMG_FFT(smg_point)(y, 0), 2);
    const SMG_FFT(smg_complex) lowest = {SMG_FFT_ADD(dc.r, dc.i), 0};
    const SMG_FFT(smg_complex) highest = {SMG_FFT_SUB(dc.r, dc.i), 0};
    SMG_FFT(smg_put)(y, 0, lowest);
    SMG_FFT(smg_put)(y, n, highest);
    for (int32_t k = 1; k < n - k; ++k) {
        const SMG_FFT(smg_complex) here = SMG_FFT(smg_over)(SMG_FFT(smg_point)(y, k), 2);
        SMG_FFT(smg_complex) mirror = SMG_FFT(smg_point)(y, n - k);
        mirror.i = SMG_FFT_SUB(0, mirror.i);
        mirror = SMG_FFT(smg_over)(mirror, 2);
        const SMG_FFT(smg_complex) both = SMG_FFT(smg_plus)(here, mirror);
        const SMG_FFT(smg_complex) turned = SMG_FFT(smg_times)(
            SMG_FFT(smg_minus)(here, mirror), SMG_FFT(smg_point)(op->separating, k - 1));
        const SMG_FFT(smg_complex) low = {SMG_FFT_HALF((SMG_FFT_PRODUCT_T)both.r + turned.r),
                                          SMG_FFT_HALF((SMG_FFT_PRODUCT_T)both.i + turned.i)};
        const SMG_FFT(smg_complex) high = {SMG_FFT_HALF((SMG_FFT_PRODUCT_T)both.r - turned.r),
                                           SMG_FFT_HALF((SMG_FFT_PRODUCT_T)turned.i - both.i)};
        SMG_FFT(smg_put)(y, k, low);
        SMG_FFT(smg_put)(y, n - k, high);
    }
    if (n % 2 == 0) {
        SMG_FFT(smg_separate_middle)(op, y);
    }
}

SMG_INLINE SMG_FFT_T SMG_FFT(smg_sample)(const SMG_FFT(smg_fft) * op, const SMG_FFT_T *x,
                                         int32_t index) {
    return index < op->samples ? x[index] : 0;
}

SMG_KERNEL void SMG_FFT(smg_rfft)(const SMG_FFT(smg_fft) * op, const SMG_FFT_T *x, SMG_FFT_T *y) {
    for (int32_t row = 0; row < op->rows; ++row) {
        for (int32_t k = 0; k < op->size; ++k) {
            const SMG_FFT(smg_complex)
                pair = {SMG_FFT(smg_sample)(op, x, 2 * k), SMG_FFT(smg_sample)(op, x, 2 * k + 1)};
            SMG_FFT(smg_put)(y, op->destinations[k], pair);
        }
        SMG_FFT(smg_stages)(op, y, false);
        SMG_FFT(smg_separate)(op, y);
        x += op->samples;
        y += 2 * op->size + 2;
    }
}

/* The inverse of the separating pass, from x to the places that the first stage reads. */
SMG_INLINE void SMG_FFT(smg_merge)(const SMG_FFT(smg_fft) * op, const SMG_FFT_T *x, SMG_FFT_T *y) {
    const int32_t n = op->size;
    const SMG_FFT(smg_complex) ends = {SMG_FFT_ADD(x[0], x[2 * n]), SMG_FFT_SUB(x[0], x[2 * n])};
    SMG_FFT(smg_put)(y, op->destinations[0], SMG_FFT(smg_over)(ends, 2));
    for (int32_t k = 1; k <= n / 2; ++k) {
        const SMG_FFT(smg_complex) here = SMG_FFT(smg_over)(SMG_FFT(smg_point)(x, k), 2);
        SMG_FFT(smg_complex) mirror = SMG_FFT(smg_point)(x, n - k);
        mirror.i = SMG_FFT_SUB(0, mirror.i);
        mirror = SMG_FFT(smg_over)(mirror, 2);
        const SMG_FFT(smg_complex) even = SMG_FFT(smg_plus)(here, mirror);
        const SMG_FFT(smg_complex) odd = SMG_FFT(smg_times)(
            SMG_FFT(smg_minus)(here, mirror), SMG_FFT(smg_point)(op->separating, k - 1));
        SMG_FFT(smg_complex) low = SMG_FFT(smg_minus)(even, odd);
        low.i = SMG_FFT_SUB(0, low.i);
        SMG_FFT(smg_put)(y, op->destinations[k], SMG_FFT(smg_plus)(even, odd));
        SMG_FFT(smg_put)(y, op->destinations[n - k], low);
    }
}

SMG_KERNEL void SMG_FFT(smg_irfft)(const SMG_FFT(smg_fft) * op, const SMG_FFT_T *x, SMG_FFT_T *y) {
    for (int32_t row = 0; row < op->rows; ++row) {
        SMG_FFT(smg_merge)(op, x, y);
        SMG_FFT(smg_stages)(op, y, true);
        for (int32_t i = 0; i < 2 * op->size; ++i) {
            y[i] = SMG_FFT_NORMAL(y[i], 2 * op->size);
        }
        x += 2 * op->size + 2;
        y += 2 * op->size;
    }
}

#undef SMG_FFT
#undef SMG_FFT_T
#undef SMG_FFT_PRODUCT_T
#undef SMG_FFT_ROUND
#undef SMG_FFT_ADD
#undef SMG_FFT_SUB
#undef SMG_FFT_HALF
#undef SMG_FFT_OVER
#undef SMG_FFT_NORMAL
