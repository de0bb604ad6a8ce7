/* smg_modulo_f32: floor(a / b), and the remainder with the sign of b, on float32, with
 * broadcasting.
 *
 * The remainder is exact. Exact: equals the references of FloorDiv and FloorMod. Scratch: none.
 * y may be an operand that is as large as y is.
 */
#ifndef SMG_MODULO_F32_H
#define SMG_MODULO_F32_H

#include "smg_binary.h"
#include "smg_math.h"

typedef struct {
    smg_walk_t walk;
} smg_modulo_f32_t;

SMG_INLINE float smg_floor_div_f32_one(const smg_modulo_f32_t *op, float a, float b) {
    (void)op;
    return smg_floorf(a / b);
}

SMG_INLINE float smg_floor_mod_f32_one(const smg_modulo_f32_t *op, float a, float b) {
    (void)op;
    const float remainder = smg_fmodf(a, b);
    const bool moves = (remainder < 0.0f || remainder > 0.0f) && (b < 0.0f) != (remainder < 0.0f);
    return moves ? remainder + b : remainder;
}

SMG_BINARY_KERNEL(smg_floor_div_f32, smg_modulo_f32_t, float, float, float)
SMG_BINARY_KERNEL(smg_floor_mod_f32, smg_modulo_f32_t, float, float, float)

#endif
