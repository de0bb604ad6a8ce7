/* smg_unary_f32: float32 functions of one element (see smg_math.h for their errors).
 *
 * y[i] = f(x[i]). Exact: the same bits as the references of Exp, Log, Sqrt, Rsqrt, Square, Abs,
 * Neg, Floor, Ceil, Round, Sin, Cos, Logistic, Tanh, Elu, HardSwish, Gelu, Erf. Scratch: none.
 * y may be x.
 */
#ifndef SMG_UNARY_F32_H
#define SMG_UNARY_F32_H

#include "smg_math.h"

typedef struct {
    int32_t count;
} smg_unary_f32_t;

/* Defines smg_<name>_f32 from the expression `value` of x. */
#define SMG_UNARY_F32(name, value)                                                                 \
    SMG_KERNEL void smg_##name##_f32(const smg_unary_f32_t *op, const float *from, float *y) {     \
        for (int32_t i = 0; i < op->count; ++i) {                                                  \
            const float x = from[i];                                                               \
            y[i] = (value);                                                                        \
        }                                                                                          \
    }

SMG_INLINE float smg_hard_swish_one(float x) {
    const float raised = x + 3.0f;
    const float gate = raised < 0.0f ? 0.0f : (raised > 6.0f ? 6.0f : raised);
    return x * gate / 6.0f;
}

SMG_INLINE float smg_gelu_tanh_one(float x) {
    const float inner = x + 0.044715f * x * x * x;
    return 0.5f * x * (1.0f + smg_tanhf(0.797884583f * inner));
}

SMG_UNARY_F32(exp, smg_expf(x))
SMG_UNARY_F32(log, smg_logf(x))
SMG_UNARY_F32(sqrt, smg_sqrtf(x))
SMG_UNARY_F32(rsqrt, 1.0f / smg_sqrtf(x))
SMG_UNARY_F32(square, x *x)
SMG_UNARY_F32(abs, smg_absf(x))
SMG_UNARY_F32(neg, -x)
SMG_UNARY_F32(floor, smg_floorf(x))
SMG_UNARY_F32(ceil, smg_ceilf(x))
SMG_UNARY_F32(round, smg_roundf(x))
SMG_UNARY_F32(sin, smg_sinf(x))
SMG_UNARY_F32(cos, smg_cosf(x))
SMG_UNARY_F32(logistic, smg_logisticf(x))
SMG_UNARY_F32(tanh, smg_tanhf(x))
SMG_UNARY_F32(elu, x < 0.0f ? smg_expf(x) - 1.0f : x)
SMG_UNARY_F32(hard_swish, smg_hard_swish_one(x))
SMG_UNARY_F32(gelu, 0.5f * x * (1.0f + smg_erff(x * 0.707106769f)))
SMG_UNARY_F32(erf, smg_erff(x))
SMG_UNARY_F32(gelu_tanh, smg_gelu_tanh_one(x))

#endif
